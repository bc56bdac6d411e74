package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/rule"
	"github.com/aratta-gateway/aratta/scri"
)

// Condition says for which requests a provider's targets take part; they then
// come first in their chain. What it holds must all be fulfilled.
type Condition struct {
	words []string // lower case; the prompt must contain one of them
	when  *rule.Rule
	never bool // it asks for what this version does not know
}

// Facts are what conditions look at.
type Facts = rule.Facts

// NewCondition reads a condition as configuration spells it. What it asks for and
// this version does not know is told in warn; such a condition never holds.
func NewCondition(words []string, match, when string) (c *Condition, warn string, err error) {
	c = &Condition{}
	for _, w := range words {
		if strings.TrimSpace(w) == "" {
			return nil, "", fmt.Errorf("prompt_contains: a word is empty")
		}
		c.words = append(c.words, fold(strings.TrimSpace(w)))
	}
	switch match {
	case "", "literal":
	case "task":
		warn = "match: \"task\" has no effect in this version, the words alone count"
	default:
		return nil, "", fmt.Errorf("match: %q is none of task, literal%s", match, maybe(match, []string{"task", "literal"}))
	}
	if when != "" {
		c.when, err = rule.Compile(when)
		switch {
		case errors.Is(err, rule.ErrUnbuilt):
			c.never = true
			return c, fmt.Sprintf("when: %v; the condition never holds", err), nil
		case err != nil:
			return nil, "", fmt.Errorf("when: %w", err)
		}
	}
	if len(c.words) == 0 && c.when == nil {
		return nil, "", fmt.Errorf("says nothing; give it prompt_contains or when")
	}
	return c, warn, nil
}

// holds reports whether a request fulfils the condition, and by what.
func (c *Condition) holds(ctx context.Context, f *Facts) (bool, string) {
	if c.never {
		return false, ""
	}
	why := ""
	if len(c.words) > 0 {
		w := firstWord(fold(f.Prompt()), c.words)
		if w == "" {
			return false, ""
		}
		why = fmt.Sprintf("the prompt contains %q", w)
	}
	if c.when != nil {
		ok, err := c.when.Holds(ctx, f)
		switch {
		case err != nil:
			return false, "when: " + err.Error()
		case !ok:
			return false, ""
		case why != "":
			why += " and "
		}
		why += c.when.String()
	}
	return true, why
}

// fold makes upper and lower case alike, rune by rune, in every script.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// firstWord returns the first of the words that stands in the text by itself.
func firstWord(text string, words []string) string {
	for _, w := range words {
		if containsWord(text, w) {
			return w
		}
	}
	return ""
}

// containsWord reports whether a word stands in the text with nothing of a word
// before and behind it. Letters, digits and marks of any script make words, and
// "_" does; an end of the word that is none of them, as in "c++", needs no bound.
func containsWord(text, word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		at, end := from+i, from+i+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[end:])
		glued := ofWord(first) && at > 0 && ofWord(before) || ofWord(last) && end < len(text) && ofWord(after)
		if !glued {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		from = at + size
	}
}

func ofWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

// conditioned puts the targets of a chain whose condition holds before the
// others, and leaves out those whose condition does not.
func (r *Router) conditioned(ctx context.Context, q *Query, p *Plan, chain []Target) []Target {
	if !r.conditional {
		return chain
	}
	var first, rest []Target
	for _, t := range chain {
		e := r.index[t.Provider]
		if e.Condition == nil {
			rest = append(rest, t)
			continue
		}
		if q.Facts == nil {
			continue
		}
		f := q.Facts()
		f.Target = e.facts(t)
		ok, why := e.Condition.holds(ctx, f)
		switch {
		case ok:
			first = append(first, t)
			p.once(scri.Reason{Stage: "plan", Code: "condition", Target: t.String(), Detail: why})
		case why != "":
			p.once(scri.Reason{Stage: "plan", Code: "undecided", Target: t.String(), Detail: why})
		}
	}
	return append(first, rest...)
}

// facts is what a condition may know of a target.
func (e *Entry) facts(t Target) rule.Target {
	f := rule.Target{Provider: t.Provider, Model: t.Model, Zone: e.Zone, Region: e.Region}
	if m, ok := e.model(t.Model); ok {
		f.Context, f.PriceIn, f.PriceOut = m.Window, m.PriceIn, m.PriceOut
	}
	return f
}

// once adds a reason that is not there yet.
func (p *Plan) once(x scri.Reason) {
	if !slices.Contains(p.Reasons, x) {
		p.Reasons = append(p.Reasons, x)
	}
}
