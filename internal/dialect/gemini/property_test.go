package gemini_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// report fails with the request or the answer that broke a law.
func report(t *rapid.T, problems []string) {
	for _, p := range problems {
		t.Error(p)
	}
}

func TestAnyRequestIsTranslatedHonestly(t *testing.T) {
	d := gemini.New()
	rapid.Check(t, func(t *rapid.T) {
		x := scritest.Request().Draw(t, "request")
		report(t, dialecttest.Law4Request(d, x))
		report(t, dialecttest.Law7(d, x))
	})
}

func TestAnyAnswerIsTranslatedHonestly(t *testing.T) {
	d := gemini.New()
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Response().Draw(t, "answer")
		report(t, dialecttest.Law4Response(d, &scri.ChatRequest{}, r))
		report(t, dialecttest.Law4Replay(d, &scri.ChatRequest{}, r))
	})
}
