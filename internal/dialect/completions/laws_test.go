package completions_test

import (
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect/completions"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

func TestAnyRequestIsTranslatedHonestly(t *testing.T) {
	d := completions.New()
	rapid.Check(t, func(t *rapid.T) {
		x := scritest.Request().Draw(t, "request")
		report(t, dialecttest.Law4Request(d, x))
		report(t, dialecttest.Law7(d, x))
	})
}

func TestAnyAnswerIsTranslatedHonestly(t *testing.T) {
	d := completions.New()
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Response().Draw(t, "answer")
		if len(r.Choices) > 1 { // two answers may be so alike that nobody can tell which one was lost
			r.Choices = r.Choices[:1]
		}
		report(t, dialecttest.Law4Response(d, dialecttest.AsClient(d, dialecttest.Hello(), false), r))
		report(t, dialecttest.Law4Replay(d, dialecttest.AsClient(d, dialecttest.Hello(), true), r))
	})
}

func report(t *rapid.T, problems []string) {
	for _, p := range problems {
		t.Error(p)
	}
}

// A member that nobody knows is in some event, wherever in a stream it stands.
func TestStreamsCarryStrangers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "dialecttest", "testdata", "stream", completions.Name, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, f := range files {
		if filepath.Base(f) == "error-inside.txt" { // of which only the error is heard
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range dialecttest.LawCarried(completions.New(), nil, b) {
			t.Errorf("%s: %s", f, p)
		}
	}
}
