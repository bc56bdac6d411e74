package provider

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// What a model's template demands is configured, and checked.
func TestDemands(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		want  scri.Traits
		err   string
	}{
		{Entry{}, scri.Traits{}, ""},
		{Entry{History: []string{"alternate", "one_system"}}, scri.Traits{Alternate: true, OneSystem: true}, ""},
		{Entry{History: []string{"no_system"}, Thoughts: "text"}, scri.Traits{NoSystem: true, Thinking: scri.ThinkingText}, ""},
		{Entry{Thoughts: "drop"}, scri.Traits{Thinking: scri.ThinkingNone}, ""},
		{Entry{History: []string{"alternat"}}, scri.Traits{}, `did you mean "alternate"?`},
		{Entry{Thoughts: "txt"}, scri.Traits{}, `did you mean "text"?`},
	} {
		var got scri.Traits
		err := c.entry.demands(&got)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v: %v", c.entry, err)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%+v: %+v, %v", c.entry, got, err)
		}
	}
}
