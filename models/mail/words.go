package mail

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"earshot/models"
	"earshot/models/store"
)

// The bounds of what is shown of somebody's text, in code points.
const (
	quoted    = 600
	shown     = 2000
	excerpted = 200
	inSubject = 60
	inHeader  = 150
)

const (
	dayFormat  = "2 January 2006"
	timeFormat = "2 January 2006, 15:04 MST"
)

// headerText is a text as words in a header: one line, and not too long.
func headerText(text string) string { return excerpt(text, inHeader) }

// undirected is a text without the characters that turn the direction of what follows
// (Unicode UAX #9, 2.1 to 2.4): nothing ends their reach in a header or a plain text, so
// that they could show our words, and links, the wrong way round.
func undirected(text string) string {
	return strings.Map(func(r rune) rune {
		if '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
			return -1
		}
		return r
	}, text)
}

// excerpt is the beginning of a text on one line.
func excerpt(text string, length int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, undirected(text))
	return cut(strings.Join(strings.Fields(text), " "), length)
}

// cut shortens a text to at most length code points.
func cut(text string, length int) string {
	if runes := []rune(text); len(runes) > length {
		return strings.TrimSpace(string(runes[:length-1])) + "…"
	}
	return text
}

// Lines are those of a quotation.
func (b block) Lines() []string { return strings.Split(b.Text, "\n") }

func (c *composer) view(m models.Mail, content *store.MailContent) view {
	zone, err := models.LoadZone(content.TimeZone)
	if err != nil { // a visitor's is not known
		zone = time.UTC
	}
	project := excerpt(content.Project.Name, inHeader)
	var v view
	switch m.Kind {
	case models.MailReply:
		v = c.reply(project, content)
	case models.MailAnswer:
		v = c.answer(project, content, zone)
	case models.MailNews:
		v = c.news(project, content, zone)
	}
	if m.UserID != "" {
		v.Preferences = c.BaseURL + "/preferences"
	}
	return v
}

// reply is for a visitor whom staff have answered.
func (c *composer) reply(project string, content *store.MailContent) view {
	name := ""
	var blocks []block
	for _, message := range content.Messages {
		who := cmp.Or(excerpt(message.Author.PublicName(), inHeader), "Support")
		if name = cmp.Or(name, who); name != who {
			name = project
		}
		blocks = append(blocks, block{who + ", " + message.CreatedAt.UTC().Format(timeFormat), message.Body, false})
	}
	wrote := content.Item.CreatedAt.UTC().Format(dayFormat)
	return view{
		Subject: project + ": " + name + " replied to your feedback", Title: name + " replied to your feedback", Blocks: blocks,
		Button: "Open the conversation", Link: c.receipt(content.Item.ID, content.Item.ReceiptVersion),
		How:   "To answer, open the conversation: replies to this e-mail are not read. The link is private to you.",
		Quote: &block{"You wrote to " + project + " on " + wrote + ":", cut(content.Item.Message, quoted), true},
		Why:   "You get this because you left this address when you wrote to " + project + " on " + wrote + ".", Unsubscribe: "Get no more e-mail from " + project,
	}
}

// answer is for the member whose item a visitor has answered in.
func (c *composer) answer(project string, content *store.MailContent, zone *time.Location) view {
	visitor := cmp.Or(excerpt(content.Item.Name, inHeader), "The visitor")
	v := view{
		Subject: project + ": " + visitor + " answered", Title: visitor + " answered in " + project,
		Button: "Open in the inbox", Link: c.inbox(content.Item.ProjectID) + "/" + string(content.Item.ID),
		Quote: &block{"They wrote on " + content.Item.CreatedAt.In(zone).Format(dayFormat) + ":", cut(content.Item.Message, quoted), true},
		Why:   "You get this because the item is assigned to you.", Unsubscribe: "No more mails about answers in my items",
	}
	for _, message := range content.Messages {
		v.Blocks = append(v.Blocks, block{message.CreatedAt.In(zone).Format(timeFormat), message.Body, true})
	}
	return v
}

// news is for a member who wants to hear of a project's new feedback.
func (c *composer) news(project string, content *store.MailContent, zone *time.Location) view {
	news := content.News
	v := view{
		Button: "Open the inbox", Link: c.inbox(content.Project.ID), Unsubscribe: "No more mails about new feedback in " + project,
		Why: "You get this because you chose " + modeText(content.Mode) + " for new feedback in " + project + ".",
		How: heldText(news),
	}
	if news.Total == 1 && !news.AtLeast {
		only := news.Items[0]
		v.Title = "New " + kindText(only.Kind) + " in " + project
		v.Subject = project + ": " + excerpt(only.Message, inSubject)
		v.Blocks = []block{{who(only, zone), cut(only.Message, shown), true}}
		v.Button, v.Link = "Open in the inbox", v.Link+"/"+string(only.ID)
		v.Counts = only.PageURL
		return v
	}
	count := fmt.Sprintf("%d", news.Total)
	if news.AtLeast {
		count = "more than " + count
	}
	v.Subject, v.Title = project+": "+count+" new", strings.ToUpper(count[:1])+count[1:]+" new in "+project
	v.Counts = countsText(news.Kinds)
	for _, f := range news.Items {
		v.Items = append(v.Items, item{who(f, zone), excerpt(f.Message, excerpted), v.Link + "/" + string(f.ID)})
	}
	if rest := news.Total - int64(len(news.Items)); rest > 0 {
		v.More = fmt.Sprintf("And %d more.", rest)
	}
	return v
}

// who tells of an item in a line: from whom, what kind, when.
func who(f *models.Feedback, zone *time.Location) string {
	parts := []string{}
	if name := excerpt(cmp.Or(f.Name, f.Email), inHeader); name != "" {
		parts = append(parts, name)
	}
	if f.Kind != "" {
		parts = append(parts, kindText(f.Kind))
	}
	if f.Rating > 0 {
		parts = append(parts, fmt.Sprintf("%d of 5", f.Rating))
	}
	return strings.Join(append(parts, f.CreatedAt.In(zone).Format(timeFormat)), " · ")
}

func kindText(kind models.Kind) string {
	if kind == "" || kind == models.KindOther {
		return "feedback"
	}
	return string(kind)
}

// countsText tells how many of each kind there are: "3 bugs, 1 idea".
func countsText(kinds []store.KindCount) string {
	var parts []string
	for _, k := range kinds {
		plural := "s"
		if k.Count == 1 || k.Kind == models.KindPraise {
			plural = ""
		}
		name := string(k.Kind) + plural
		switch k.Kind {
		case "":
			name = "without a kind"
		case models.KindOther:
			name = "other"
		case models.KindBug, models.KindIdea, models.KindQuestion, models.KindPraise:
		}
		parts = append(parts, fmt.Sprintf("%d %s", k.Count, name))
	}
	return strings.Join(parts, ", ")
}

// heldText tells how much was held back meanwhile, and why; "" where nothing was.
func heldText(news store.News) string {
	if news.Held == 0 {
		return ""
	}
	text := fmt.Sprintf("%d submissions were held back, and are in the quarantine beside the inbox.", news.Held)
	if news.Held == 1 {
		text = "One submission was held back, and is in the quarantine beside the inbox."
	}
	for _, reason := range news.HeldFor {
		text += fmt.Sprintf(" %d: %s", reason.N, excerpt(reason.Value, excerpted))
	}
	return text
}

func modeText(mode models.NotifyMode) string {
	switch mode {
	case models.NotifyAtOnce:
		return "mails at once"
	case models.NotifyHourly:
		return "hourly mails"
	case models.NotifyDaily:
		return "daily mails"
	case models.NotifyNever:
	}
	return "mails"
}
