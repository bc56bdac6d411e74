package discreet_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/discreet"
)

func TestCode(t *testing.T) {
	for s, kept := range map[string]bool{
		"":                               true,
		"rate_limit_exceeded":            true,
		"req_011CSHoEeqs5C35K2UUqR7Fy":   true,
		"Throttling.User":                true,
		"my secret":                      false,
		"\"x\"":                          false,
		"тайна":                          false,
		strings.Repeat("x", 65):          false,
		"line\nbreak":                    false,
		"https://example.com/a?key=good": false,
	} {
		if got := discreet.Code(s); (got == s) != kept || got != s && got != "" {
			t.Errorf("Code(%q) = %q", s, got)
		}
	}
}

func TestClip(t *testing.T) {
	if got := discreet.Clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := discreet.Clip("x" + strings.Repeat("Ж", 10_000)); len(got) > 260 || !utf8.ValidString(got) || !strings.HasSuffix(got, "...") {
		t.Errorf("got %d bytes, %q", len(got), got)
	}
}
