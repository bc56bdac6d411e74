package route

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

// Words stand by themselves, in any case and any script.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		text, word string
		want       bool
	}{
		{"Write some code.", "code", true},
		{"CODE!", "code", true},
		{"decode this", "code", false},
		{"codes", "code", false},
		{"code_review", "code", false},
		{"code2", "code", false},
		{"decode the code", "code", true},
		{"re-code", "code", true},
		{"`code`", "code", true},
		{"what is SQL?", "sql", true},
		{"mysql", "sql", false},
		{"напиши код", "код", true},
		{"КОД", "код", true},
		{"кодекс", "код", false},
		{"перекод", "код", false},
		{"«Код»", "код", true},
		{"кодё", "код", false},
		{"код\u0306", "код", false}, // a mark that belongs to the last letter
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"c++ or rust", "c++", true},
		{"c++x", "c++", true},
		{"abc++", "c++", false},
		{"use  a sql query now", "sql query", true},
		{"sql queryx", "sql query", false},
		{"代码", "代码", true},
		{"", "code", false},
	} {
		cond, _, err := NewCondition([]string{c.word}, "", "")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := cond.holds(t.Context(), &Facts{Prompt: func() string { return c.text }})
		if got != c.want {
			t.Errorf("%q in %q: %v", c.word, c.text, got)
		}
	}
}

// Surrounded by anything but parts of words a word is found, by them it is not.
func TestWordsAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zа-я]{1,8}`).Draw(t, "word")
		around := rapid.StringMatching(`[ .,!"«»()\n-]{0,5}`)
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		if !containsWord(before+word+after, word) {
			t.Fatalf("%q is not found", before+word+after)
		}
		glue := rapid.StringMatching(`[a-zа-яё0-9_]`)
		if s := before + glue.Draw(t, "glue") + word + after; containsWord(s, word) && !strings.Contains(s[len(before)+1:], " "+word) {
			if i := strings.Index(s, word); i > 0 && s[:i] != before { // the glue may have made another one
				t.Fatalf("%q is found in %q", word, s)
			}
		}
	})
}

func conditional(t *testing.T, words []string, when string) *Condition {
	t.Helper()
	c, _, err := NewCondition(words, "literal", when)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asking(prompt string) func() *Facts {
	return func() *Facts {
		return &Facts{
			Prompt: func() string { return prompt }, Text: func() string { return prompt },
			Header: func() map[string]string { return nil }, Tokens: int64(len(prompt)),
		}
	}
}

// A target with a condition takes part only when it holds, and then comes first.
func TestConditions(t *testing.T) {
	price := 1.0
	entries := []Entry{
		{Name: "near", Dialect: "ollama", Zone: "local"},
		{Name: "cheap", Dialect: "openai", Zone: "cloud", Priority: 2, Default: "small"},
		{Name: "coder", Dialect: "anthropic", Zone: "cloud", Priority: 3, Default: "big", Condition: conditional(t, []string{"code", "sql"}, "")},
		{Name: "long", Dialect: "openai", Zone: "cloud", Priority: 4, Default: "wide", Condition: conditional(t, nil, `request.tokens > 50 && target.price_in < 5.0`), Models: []Model{{Name: "wide", PriceIn: &price}}},
	}
	long := strings.Repeat("word ", 20)
	for _, c := range []struct {
		name   string
		chains map[string]Chain
		query  Query
		want   string
	}{
		{"it does not hold", nil, Query{Facts: asking("hello")}, "near cheap:small"},
		{"it holds", nil, Query{Facts: asking("some code")}, "coder:big near cheap:small"},
		{"two hold, in the order of the chain", nil, Query{Facts: asking("code " + long)}, "coder:big long:wide near cheap:small"},
		{"nothing is known of the request", nil, Query{}, "near cheap:small"},
		{"beside a configured chain", map[string]Chain{"default": {Targets: []string{"near"}}}, Query{Facts: asking("code")}, "coder:big near"},
		{"within one", map[string]Chain{"default": {Targets: []string{"near", "coder:other", "cheap"}}}, Query{Facts: asking("code")}, "coder:other near cheap:small"},
		{"a chain that it stands in alone", map[string]Chain{"default": {Targets: []string{"near"}}, "work": {Targets: []string{"cheap", "coder"}}}, Query{Facts: asking("code")}, "near"},
		{"which is asked for", map[string]Chain{"work": {Targets: []string{"cheap", "coder"}}}, Query{Model: "work", Facts: asking("code")}, "coder:big cheap:small"},
		{"asked for by name it needs no condition", nil, Query{Model: "coder", Facts: asking("hello")}, "coder:big near cheap:small"},
		{"behind a pinned one", nil, Query{Model: "cheap:tiny", Facts: asking("code")}, "cheap:tiny coder:big near cheap:small"},
		{"local stays local first", nil, Query{Model: "local", Facts: asking("code")}, "near coder:big cheap:small"},
		{"what may not leave does not", nil, Query{Facts: asking("code"), Allow: func(zone string) error {
			if zone == "local" {
				return nil
			}
			return &scri.Error{Kind: scri.ErrPolicy, Message: "closed"}
		}}, "near"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, warn, err := New(Config{Chains: c.chains}, entries, nil)
			if err != nil || len(warn) > 0 {
				t.Fatal(err, warn)
			}
			if c.query.Allow == nil {
				c.query.Allow = func(string) error { return nil }
			}
			p, err := r.Plan(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range p.Targets {
				got = append(got, x.String())
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got  %s\nwant %s\n%v", s, c.want, p.Reasons)
			}
		})
	}
}

func TestConditionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		words             []string
		match, when       string
		wantErr, wantWarn string
	}{
		{[]string{"a"}, "", "", "", ""},
		{[]string{"a"}, "task", "", "", "match: "},
		{[]string{"a"}, "tsk", "", `match: "tsk" is none of task, literal; did you mean "task"?`, ""},
		{[]string{" "}, "", "", "prompt_contains: a word is empty", ""},
		{nil, "", "", "says nothing", ""},
		{nil, "", "request.tokns > 1", `when: there is no "request.tokns"`, ""},
		{nil, "", `task == "code"`, "", `when: "task": this version does not know it; the condition never holds`},
	} {
		cond, warn, err := NewCondition(c.words, c.match, c.when)
		if c.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(warn, c.wantWarn) || (warn == "") != (c.wantWarn == "") {
			t.Errorf("%+v: %q, %v", c, warn, err)
		}
		if strings.Contains(warn, "never") {
			if ok, _ := cond.holds(t.Context(), &Facts{Prompt: func() string { return "" }}); ok {
				t.Error("it held")
			}
		}
	}
	_, warn, err := New(Config{Chains: map[string]Chain{"default": {Targets: []string{"near"}}}}, []Entry{
		{Name: "near", Zone: "local"}, {Name: "far", Zone: "cloud", Condition: conditional(t, []string{"x"}, "")},
	}, nil)
	if err != nil || len(warn) != 1 || !strings.Contains(warn[0], "providers.far.condition") {
		t.Errorf("%v %v", warn, err)
	}
}
