package openai_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
)

func FuzzDecodeRequest(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "request")
	d := openai.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeRequest(t, d, body, false) })
}

func FuzzDecodeResponse(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "response")
	dialecttest.Seeds(f, "testdata", "error")
	d := openai.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeResponse(t, d, body, false) })
}

func FuzzDecodeStream(f *testing.F) {
	dialecttest.Seeds(f, "testdata", "stream")
	d := openai.New()
	f.Fuzz(func(t *testing.T, stream []byte) { dialecttest.TakeStream(t, d, stream) })
}
