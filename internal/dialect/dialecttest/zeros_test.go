package dialecttest_test

import (
	"bytes"
	"hash/fnv"
	"net/http"
	"regexp"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// senseless are values without which an exchange means something else, or
// nothing: what becomes of it is for the fuzzers, who look for worse.
var senseless = regexp.MustCompile(`(id|name|type|role|function|schema|parameters|finish_reason|stop_reason|done_reason|tool_calls/\d+|content/\d+|parts/\d+|system/\d+|citations/\d+|text|content|ext|result|functionCall|functionResponse) |description [^"n]|/call `)

// TestLawsOfZeros replaces each value of each request with ones that say
// nothing: what is accepted then keeps the laws all the same.
func TestLawsOfZeros(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		if c.Kind != "request" {
			continue
		}
		t.Run(c.Dialect+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			for what, body := range dialecttest.Zeroed(c.Data) {
				if senseless.MatchString(what) || skipped(c.Name+what) {
					continue
				}
				x, err := c.With(body).Exchange()
				if err != nil {
					t.Fatal(err)
				}
				if d := all.Get(c.Dialect); !dialecttest.Readable(d, x) {
					continue
				}
				for _, r := range dialecttest.RunOne(all.Table(), x) {
					if len(r.Problems) > 0 {
						t.Errorf("%s: law %s %s: %q", what, r.Check, r.Target, r.Problems)
					}
				}
			}
		})
	}
}

// skipped leaves out most of many values, always the same ones, unless -rounds
// asks for all.
func skipped(what string) bool {
	return most(what, 4)
}

// most leaves out all but one of n.
func most(what string, n int) bool {
	h := fnv.New32a()
	h.Write([]byte(what))
	return int(h.Sum32()%uint32(n)) >= *rounds
}

// TestNothingIsSaidTwice asks providers for all that may be added to requests
// whose fields are null, as many clients send them: no name may stand twice.
func TestNothingIsSaidTwice(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		if c.Kind != "request" {
			continue
		}
		d := all.Get(c.Dialect)
		bodies := dialecttest.Zeroed(c.Data)
		for _, name := range []string{"model", "max_tokens", "stream", "stream_options", "logprobs", "top_logprobs", "options", "keep_alive", "think", "tools"} {
			if !bytes.Contains(c.Data, []byte(`"`+name+`"`)) {
				bodies["new "+name] = bytes.Replace(c.Data, []byte("{"), []byte(`{"`+name+`":null,`), 1)
			}
		}
		for what, body := range bodies {
			req, err := d.DecodeRequest(dialecttest.Incoming(d, "", http.Header{}, body))
			if err != nil {
				continue
			}
			out, _, err := d.EncodeRequest(req, &dialect.Target{Model: "m", MaxOutput: 100, NumCtx: 4096, KeepAlive: "5m", WantUsage: true, LogProbs: true})
			if err != nil || !jsontext.Value(out.Body).IsValid() {
				t.Errorf("%s with %s: %v: %s", c.File, what, err, out.Body)
			}
		}
	}
}
