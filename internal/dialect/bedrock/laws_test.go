package bedrock_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/bedrock"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// TestLawsOfRecorded asks the laws of what real servers said.
func TestLawsOfRecorded(t *testing.T) {
	asked := 0
	for _, r := range dialecttest.Run([]dialect.Dialect{bedrock.New()}, dialecttest.Corpus(t)) {
		if r.NA != "" {
			t.Errorf("%s: law %s could not be asked: %s", r.X.ID, r.Check, r.NA)
		}
		asked++
		for _, p := range r.Problems {
			t.Errorf("%s: law %s %s: %s", r.X.ID, r.Check, r.Target, p)
		}
	}
	if asked == 0 {
		t.Fatal("no law was asked")
	}
}

func TestAnyRequestIsTranslatedHonestly(t *testing.T) {
	d := bedrock.New()
	rapid.Check(t, func(t *rapid.T) {
		x := scritest.Request().Draw(t, "request")
		report(t, dialecttest.Law4Request(d, x))
		report(t, dialecttest.Law7(d, x))
	})
}

func TestAnyAnswerIsTranslatedHonestly(t *testing.T) {
	d := bedrock.New()
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Response().Draw(t, "answer")
		if len(r.Choices) > 1 { // two answers may be so alike that nobody can tell which one was lost
			r.Choices = r.Choices[:1]
		}
		report(t, dialecttest.Law4Response(d, &scri.ChatRequest{}, r))
		report(t, dialecttest.Law4Replay(d, &scri.ChatRequest{}, r))
	})
}

func report(t *rapid.T, problems []string) {
	for _, p := range problems {
		t.Error(p)
	}
}
