package dialecttest_test

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// TestHintsAreAlike: what to do stands behind what happened, in the same words
// whatever API a client speaks. Only the gateway's own has a place for it.
func TestHintsAreAlike(t *testing.T) {
	for _, d := range all.Table() {
		for _, kind := range []scri.ErrorKind{scri.ErrInvalid, scri.ErrUnavailable, scri.ErrContextLength} {
			_, body := d.EncodeError(nil, &scri.Error{Kind: kind, Message: "It went wrong.", Path: "/model", Hint: "do it right"})
			want := `. Hint: do it right"`
			if d.Name() == "native" {
				want = `"hint":"do it right"`
			}
			if !strings.Contains(string(body), want) || strings.Contains(string(body), "..") {
				t.Errorf("%s: %s", d.Name(), body)
			}
		}
	}
}
