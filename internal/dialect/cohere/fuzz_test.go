package cohere_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/cohere"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

func FuzzDecodeRequest(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "request", cohere.Name)
	d := cohere.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeRequest(t, d, body, true) })
}

func FuzzDecodeResponse(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "response", cohere.Name)
	d := cohere.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeResponse(t, d, body, true) })
}

func FuzzDecodeStream(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "stream", cohere.Name)
	d := cohere.New()
	f.Fuzz(func(t *testing.T, stream []byte) { dialecttest.TakeStream(t, d, stream) })
}
