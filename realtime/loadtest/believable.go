package main

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"earshot/models"
)

const (
	// lastWord is said by the last item alone.
	lastWord   = "zanzibar"
	commonPage = "https://shop.example/cart"
	rarePage   = "https://shop.example/imprint/2019"
)

// epoch is when the last item is written.
var epoch = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// believable is n items of two years, as a shop would have them: few words are said
// often and many seldom, most is done with, and some people do most of it.
func believable(n int, team []models.ID) iter.Seq[models.Feedback] {
	random := rand.New(rand.NewPCG(1, 2)) // the same data each time
	words := rand.NewZipf(random, 1.1, 4, 20_000)
	pages := rand.NewZipf(random, 1.3, 2, 5_000)
	const years = 2
	step := years * 365 * 24 * time.Hour / time.Duration(n)
	return func(yield func(models.Feedback) bool) {
		for i := range n {
			item := models.Feedback{
				ID: models.NewID(), Message: sentence(random, words), PageURL: page(pages.Uint64()), Status: models.StatusNew,
				Priority: models.PriorityNormal, CreatedAt: epoch.Add(-step * time.Duration(n-i)), Quarantined: random.IntN(100) == 0,
			}
			if i == n-1 {
				item.Message += " " + lastWord
			}
			item.UpdatedAt, item.VisitorAt = item.CreatedAt, item.CreatedAt
			triage(random, &item, i*100/n, team)
			if !yield(item) {
				return
			}
		}
	}
}

// triage is what became of an item: the older, the more likely it is done with.
func triage(random *rand.Rand, item *models.Feedback, percent int, team []models.ID) {
	if random.IntN(100) < 70 {
		item.Kind = models.Kinds()[skewed(random, len(models.Kinds()))]
	}
	if random.IntN(100) < 40 {
		item.Rating = 1 + random.IntN(5)
	}
	if random.IntN(100) < 30 {
		item.Name, item.Email = "Ann", fmt.Sprintf("ann%d@example.com", random.IntN(5000))
	}
	if random.IntN(100) >= 100-percent/4 { // nobody has looked at it
		return
	}
	item.UpdatedAt = item.CreatedAt.Add(time.Duration(1+random.IntN(72)) * time.Hour)
	item.Status = []models.Status{models.StatusClosed, models.StatusResolved, models.StatusOpen, models.StatusInProgress}[skewed(random, 4)]
	if random.IntN(100) < 60 {
		item.AssigneeID = team[skewed(random, len(team))]
	}
	if random.IntN(100) < 10 {
		item.Priority = models.Priorities()[random.IntN(4)]
	}
	if random.IntN(100) < 25 {
		item.Tags = []string{[]string{"checkout", "delivery", "price", "search", "account"}[skewed(random, 5)]}
	}
	if random.IntN(2000) == 0 {
		item.Tags = append(item.Tags, "vip")
	}
	if random.IntN(100) < 5 {
		item.VisitorAt = item.UpdatedAt.Add(time.Hour)
	}
}

// skewed is a number below n, small ones far more often.
func skewed(random *rand.Rand, n int) int {
	for i := range n - 1 {
		if random.IntN(3) > 0 {
			return i
		}
	}
	return n - 1
}

func page(rank uint64) string {
	switch rank {
	case 0:
		return commonPage
	case 4000:
		return rarePage
	}
	return fmt.Sprintf("https://shop.example/products/%d", rank)
}

// sentence has common words, and some of twenty thousand that are not.
func sentence(random *rand.Rand, words *rand.Zipf) string {
	common := []string{"the", "cart", "is", "broken", "not", "total", "when", "I", "pay", "delivery", "page", "slow", "button", "wrong", "please"}
	var b strings.Builder
	for range 6 + random.IntN(20) {
		if random.IntN(2) == 0 {
			b.WriteString(common[skewed(random, len(common))])
		} else {
			fmt.Fprintf(&b, "t%s", syllables(words.Uint64()))
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func syllables(n uint64) string {
	parts := []string{"ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"}
	word := ""
	for range 5 {
		word += parts[n%10]
		n /= 10
	}
	return word
}
