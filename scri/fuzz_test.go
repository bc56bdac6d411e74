package scri_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

func seed(f *testing.F, values ...any) {
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzRequest lets nothing that can be read as a request break what works on it.
func FuzzRequest(f *testing.F) {
	seed(f, fullRequest(), longHistory(2), &scri.ChatRequest{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r scri.ChatRequest
		if json.Unmarshal(b, &r) != nil {
			return
		}
		if err := r.Validate(); err != nil && scri.AsError(err).Kind != scri.ErrInvalid {
			t.Fatal(err)
		}
		texts := 0
		scri.Texts(&r, func(string, string) { texts++ })
		edited := 0
		out, err := scri.EditTexts(&r, func(_, s string) (string, bool) {
			edited++
			return s + "x", true
		})
		if err == nil && (edited != texts || (texts > 0) == (out == &r)) {
			t.Fatalf("%d texts, %d edited, same %v", texts, edited, out == &r)
		}
		ported, warnings := scri.Port(&r, strictest)
		if (ported == &r) != (len(warnings) == 0) {
			t.Fatalf("warnings %v", warnings)
		}
		if _, err := json.Marshal(ported); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCollect collects any events, and what came of them again.
func FuzzCollect(f *testing.F) {
	seed(f, fullEvents(), hello())
	f.Fuzz(func(t *testing.T, b []byte) {
		var events []scri.StreamEvent
		if json.Unmarshal(b, &events) != nil {
			return
		}
		collectTwice(t, events)
	})
}

// TestCollectAnything draws events in any order.
func TestCollectAnything(t *testing.T) {
	kinds := []scri.EventKind{
		scri.EventStart, scri.EventMessage, scri.EventPart, scri.EventPart, scri.EventDelta, scri.EventDelta, scri.EventPartEnd,
		scri.EventUsage, scri.EventFinish, scri.EventOpaque, scri.EventWarning, scri.EventSeam, scri.EventDone,
	}
	full := fullEvents()
	parts := append(fullPart(), scri.Part{Kind: scri.PartToolCall}, scri.Part{Kind: scri.PartMedia})
	event := rapid.Custom(func(t *rapid.T) scri.StreamEvent {
		e := scri.StreamEvent{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		if rapid.IntRange(0, 3).Draw(t, "filled") > 0 {
			e = full[slices.IndexFunc(full, func(f scri.StreamEvent) bool { return f.Kind == e.Kind })]
		}
		if e.Whole != nil {
			e.Whole = &parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
		}
		if e.Kind == scri.EventDelta && rapid.Bool().Draw(t, "signed") {
			e.Signature = &scri.Signature{Value: scri.NewText("s"), Redacted: rapid.Bool().Draw(t, "redacted")}
		}
		e.Choice, e.Message, e.Part = rapid.IntRange(0, 1).Draw(t, "choice"), rapid.IntRange(0, 1).Draw(t, "message"), rapid.IntRange(0, 2).Draw(t, "index")
		return e
	})
	rapid.Check(t, func(t *rapid.T) {
		collectTwice(t, rapid.SliceOfN(event, 0, 30).Draw(t, "events"))
	})
}

// collectTwice collects events, and what came of them again.
func collectTwice(t interface{ Fatalf(string, ...any) }, events []scri.StreamEvent) {
	r, err := scri.Collect(&script{events: events})
	var e *scri.Error
	if r == nil || err != nil && !errors.As(err, &e) {
		t.Fatalf("%v, %v", r, err)
		return
	}
	again, err := scri.Collect(scri.Map(scri.Replay(r), func(e *scri.StreamEvent) (*scri.StreamEvent, error) { return e.Clone(), nil }))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if d := cmp.Diff(r, again, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("(-first +again):\n%s", d)
	}
}
