package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
)

// suspect is what is held back without a proof of work.
const suspect = "See https://a.example/1 https://b.example/2 https://c.example/3 https://d.example/4 https://e.example/5"

// A visitor who looks like a program is asked for work, which their browser does by itself.
func TestChallengeIsAnswered(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	s.submit(p, suspect+" (a program)", nil)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.send(suspect, sent)
	if got := visitor.requested(); !has(got, "GET "+s.base+"/w/"+p.Key+"/challenge") {
		t.Errorf("the visitor was asked for no work: %v", got)
	}
	if got := s.messages(p); got != suspect {
		t.Errorf("in the inbox: %q, want the visitor's alone", got)
	}
}

// Who signs in at the site is known to staff by the site's word, and by that alone.
func TestIdentifiedVisitor(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	var secret struct{ Secret string }
	s.call("GET", "/api/v1/projects/"+p.ID+"/identity-secret", nil, &secret)
	exp := time.Now().Add(time.Hour).Unix()
	mac := hmac.New(sha256.New, []byte(secret.Secret))
	fmt.Fprintf(mac, "user-7:%d", exp)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	identify := func(hash string) {
		visitor.run(fmt.Sprintf(`Earshot("identify","user-7",{hash:%q,exp:%d,email:"ann@shop.example",name:"Ann"})`, hash, exp))
	}
	for i, claim := range []struct{ hash, want string }{
		{hex.EncodeToString(mac.Sum(nil)), "user-7"},
		{strings.Repeat("ab", sha256.Size), ""},
		{"not a hash", ""}, // the site's mistake must not cost the visitor's words
	} {
		identify(claim.hash)
		visitor.send(fmt.Sprintf("Signed in %d", i), sent)
		var item struct {
			Visitor struct{ Identity, Email, Name string }
			Context struct{ User map[string]string }
		}
		s.call("GET", "/api/v1/feedback/"+s.feedback(p)[i].ID, nil, &item)
		if item.Visitor.Identity != claim.want || item.Visitor.Email != "ann@shop.example" || item.Visitor.Name != "Ann" || item.Context.User["id"] != "user-7" {
			t.Errorf("with the hash %q: %+v, want the identity %q", claim.hash, item, claim.want)
		}
	}
	visitor.run(`Earshot("reset")`)
	visitor.send("Somebody else", sent)
	if got := s.feedback(p)[3].Context; got["user"] != nil {
		t.Errorf("after a reset: %v, want nobody", got)
	}
}

type attached struct {
	Attachments []struct {
		Name        string
		ContentType string `json:"content_type"`
		URL         string
		Width       int
	}
}

func (s *server) attachedTo(id string) (item attached) {
	s.t.Helper()
	s.call("GET", "/api/v1/feedback/"+id, nil, &item)
	return item
}

// attach gives files to the form as the browser's dialog does.
func (w *window) attach(files string) {
	w.t.Helper()
	w.see(attaching)
	w.run(`const data=new DataTransfer();for(const file of ` + files + `)data.items.add(file);
		const input=e2e.all("earshot-widget >>> [type=file]")[0];input.files=data.files;input.dispatchEvent(new Event("change"))`)
}

const attaching = "earshot-widget >>> .tools button"

func TestFilesGoAlong(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	for lang, told := range map[string]string{"en": sent, "ar": "شكرًا لك!"} {
		visitor := newWindow(t)
		visitor.everyPage(`window.violations=[];addEventListener("securitypolicyviolation",(e)=>violations.push(e.effectiveDirective+" "+e.blockedURI))`)
		visitor.open(host.page("/"+lang, sitePage{
			body: "<main><h1>Bank</h1></main>" + strings.Replace(p.Snippet, "async", "async data-lang="+lang, 1),
			csp: "default-src 'none'; script-src " + s.base + "; connect-src " + s.base + " ws://" + s.addr +
				"; require-trusted-types-for 'script'; trusted-types 'none'",
		}))
		visitor.speak("See the files")
		visitor.attach(`[await new Promise(done=>{const c=document.createElement("canvas");c.width=c.height=90;const p=c.getContext("2d");
			p.fillStyle="#2563eb";p.fillRect(0,0,90,90);c.toBlob(b=>done(new File([b],"the cart.png",{type:"image/png"})))}),
			new File(["TypeError: x is undefined\n"],"console.log",{type:"text/plain"}),new File(["<svg></svg>"],"logo.svg",{type:"image/svg+xml"})]`)
		visitor.see("earshot-widget >>> .files [role=alert]")
		await(visitor, "the picture is drawn", `e2e.all("earshot-widget >>> .thumb")[0].getContext("2d").getImageData(20,20,1,1).data.join()`, "37,99,235,255")
		await(visitor, "the files have arrived", `e2e.all("earshot-widget >>> .files small").filter(el=>/\d/.test(el.textContent)).length`, 2)
		if got := read[string](visitor, "violations.join()"); got != "" {
			t.Errorf("the page's policy was violated: %s", got)
		}
		visitor.examine(axe, "files-"+lang)
		visitor.click(submit)
		visitor.see(alert)
		visitor.run(`e2e.all("earshot-widget >>> .files .close")[2].click()`)
		visitor.click(submit)
		visitor.text(outcome, told)
	}
	for _, item := range s.feedback(p) {
		files := s.attachedTo(item.ID).Attachments
		if len(files) != 2 || files[0].Name != "the cart.png" || files[0].Width != 90 || files[1].Name != "console.txt" {
			t.Errorf("staff see %+v", files)
		}
	}
}

// drag draws with the mouse.
func (w *window) drag(fromX, fromY, toX, toY float64) {
	w.t.Helper()
	for _, step := range []struct {
		kind input.DispatchMouseEventType
		x, y float64
	}{
		{input.DispatchMouseEventTypeMousePressed, fromX, fromY},
		{input.DispatchMouseEventTypeMouseMoved, toX, toY},
		{input.DispatchMouseEventTypeMouseReleased, toX, toY},
	} {
		command(w, input.DispatchMouseEvent, input.DispatchMouseEventParams{
			Type: step.kind, X: step.x, Y: step.y, Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1,
		})
	}
}

// A picture of the page shows what the visitor sees, but the widget, what the page has marked, and what they black out.
func TestPictureOfThePage(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	block := func(at int, colour, more string) string {
		return fmt.Sprintf("<div style='position:fixed;top:100px;left:%dpx;width:200px;height:200px;background:%s' %s></div>", at, colour, more)
	}
	visitor.open(host.page("/", sitePage{body: "<main><h1>Shop</h1></main>" + block(50, "rgb(255,0,0)", "data-earshot-mask") +
		block(300, "rgb(0,0,255)", "") + block(550, "rgb(0,255,0)", "") + p.Snippet}))
	visitor.speak("The blue one")
	visitor.click("earshot-widget >>> .tools button + button")
	const dialog = "earshot-widget >>> dialog.shot"
	visitor.see(dialog)
	visitor.examine(axe, "picture")
	paper := visitor.box("earshot-widget >>> dialog canvas")
	scale := paper.Width / 1280
	visitor.drag(paper.X+290*scale, paper.Y+90*scale, paper.X+510*scale, paper.Y+310*scale)
	visitor.click("earshot-widget >>> dialog .bar button:nth-child(2)")
	visitor.drag(paper.X+530*scale, paper.Y+80*scale, paper.X+770*scale, paper.Y+320*scale)
	visitor.click("earshot-widget >>> dialog .primary")
	visitor.miss(dialog)
	await(visitor, "the picture has arrived", `/\d/.test(e2e.all("earshot-widget >>> .files small")[0]?.textContent)`, true)
	if got := read[string](visitor, `document.querySelector("[data-earshot-mask]").getAttribute("style")`); strings.Contains(got, "opacity") {
		t.Errorf("the page's own element stays changed: %s", got)
	}
	visitor.click(submit)
	visitor.text(outcome, sent)

	files := s.attachedTo(s.feedback(p)[0].ID).Attachments
	if len(files) != 1 || files[0].Name != "screenshot.png" {
		t.Fatalf("staff see %+v", files)
	}
	picture := fetchPicture(t, s.base+strings.TrimPrefix(files[0].URL, s.base))
	by := float64(picture.Bounds().Dx()) / 1280
	for _, c := range []struct {
		what string
		x    float64
		want color.RGBA
	}{
		{"masked", 150, color.RGBA{255, 255, 255, 255}},
		{"in view", 400, color.RGBA{0, 0, 255, 255}},
		{"blacked out", 650, color.RGBA{0, 0, 0, 255}},
	} {
		if got := color.RGBAModel.Convert(picture.At(int(c.x*by), int(200*by))).(color.RGBA); !near(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func fetchPicture(t *testing.T, url string) image.Image {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	return picture
}

// near allows for what a video makes of colours.
func near(a, b color.RGBA) bool {
	off := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(off(a.R, b.R), off(a.G, b.G), off(a.B, b.B)) < 24
}
