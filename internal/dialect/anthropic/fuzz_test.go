package anthropic_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

func FuzzDecodeRequest(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "request")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeRequest(t, d, body, true) })
}

func FuzzDecodeResponse(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "response")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeResponse(t, d, body, true) })
}

func FuzzDecodeStream(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "stream")
	d := anthropic.New()
	f.Fuzz(func(t *testing.T, stream []byte) { dialecttest.TakeStream(t, d, stream) })
}
