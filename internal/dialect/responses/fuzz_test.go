package responses_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/responses"
)

func FuzzDecodeRequest(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "request", "responses")
	d := responses.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeRequest(t, d, body, false) })
}

func FuzzDecodeResponse(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "response", "responses")
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "error", "responses")
	d := responses.New()
	f.Fuzz(func(t *testing.T, body []byte) { dialecttest.TakeResponse(t, d, body, false) })
}

func FuzzDecodeStream(f *testing.F) {
	dialecttest.Seeds(f, "..", "dialecttest", "testdata", "stream", "responses")
	d := responses.New()
	f.Fuzz(func(t *testing.T, stream []byte) { dialecttest.TakeStream(t, d, stream) })
}
