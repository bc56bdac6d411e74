package rule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func facts() *Facts {
	price := 3.0
	return &Facts{
		Prompt: func() string { return "Fix this SQL" }, Text: func() string { return "You are kind.\nПочини SQL" },
		Tokens: 20_001, Stream: true, Tools: true, Model: "auto",
		Metadata: map[string]string{"team": "blue"},
		Header:   func() map[string]string { return map[string]string{"x-team": "blue"} },
		Target:   Target{Provider: "anthropic", Model: "m", Zone: "cloud", Region: "us", PriceIn: &price, Context: 200_000},
		Now:      time.Date(2026, 1, 2, 13, 0, 0, 0, time.UTC),
	}
}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		rule string
		want bool
	}{
		{`true`, true},
		{`request.tokens > 20000`, true},
		{`request.tokens > 20000 && request.tools && !request.vision`, true},
		{`request.prompt.contains("sql")`, false},
		{`request.prompt.matches("(?i)sql")`, true},
		{`request.text.contains("kind")`, true},
		{`request.chars == 24`, true},
		{`request.model in ["auto", ""]`, true},
		{`request.metadata.team == "blue"`, true},
		{`"team" in request.metadata && request.metadata["team"] != "red"`, true},
		{`has(request.metadata.owner)`, false},
		{`request.header["x-team"] == "blue"`, true},
		{`target.zone == "cloud" && target.region != "ru"`, true},
		{`target.price_in < 5.0`, true},
		{`target.price_in < 5`, true},
		{`target.price_out == null`, true},
		{`target.context >= 100000`, true},
		{`now.getHours() >= 9 && now.getHours() < 18`, true},
		{`["a", "b"].exists(x, x == "b")`, true},
		{`request.stream ? false : true`, false},
	} {
		r, err := Compile(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got, err := r.Holds(t.Context(), facts()); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.rule, got, err)
		}
	}
}

// What is wrong with a rule is said when it is read.
func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		rule, want string
		unbuilt    bool
	}{
		{`request.tokens >`, "at 1:17: Syntax error", false},
		{`request.tokens > "x"`, "at 1:16: found no matching overload", false},
		{`request.token > 5`, `there is no "request.token"; did you mean "request.tokens"?`, false},
		{`foo`, `there is no "foo"`, false},
		{`request.tokens`, "must be true or false, not of type int", false},
		{`request.tokens > 20000 && task == "code"`, `"task": this version does not know it`, true},
		{`caller.team == "x"`, `"caller": this version does not know it`, true},
		{`["a"].all(x, y == x)`, `there is no "y"`, false},
		{strings.Repeat("!", maxRule) + "true", "longer than", false},
	} {
		_, err := Compile(c.rule)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnbuilt) != c.unbuilt {
			t.Errorf("%.40s: %v, want %s", c.rule, err, c.want)
		}
	}
}

// What cannot be decided is an error, not a yes.
func TestUndecided(t *testing.T) {
	for _, rule := range []string{
		`request.metadata.owner == "x"`,
		`target.price_out < 5.0`,
		`"` + strings.Repeat("a", 1000) + `".matches("a*")` + strings.Repeat(` && [1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, [1,2,3,4,5,6,7,8,9].all(g, [1,2,3,4,5,6,7,8,9].all(h, h > 0))))))))`, 1),
	} {
		r, err := Compile(rule)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Holds(t.Context(), facts()); got || err == nil {
			t.Errorf("%.60s: %v, %v", rule, got, err)
		}
	}
}

// Whatever somebody writes: an error or a rule, never a panic.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`true`, `request.tokens > 1`, `has(request.metadata.a)`, `task == "x"`, `a.b.c()`, `[1].map(x, x)[0] == 1`, `{"a": 1}.a == 1`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := Compile(s); err == nil {
			_, _ = r.Holds(t.Context(), facts())
		}
	})
}
