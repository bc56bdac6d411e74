package bedrock_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/bedrock"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"

	"github.com/aratta-gateway/aratta/internal/dialect"
)

// Ids of inference profiles and their ARNs are one segment of the path, and come out
// of it as they were.
func TestModelsInPaths(t *testing.T) {
	for model, want := range map[string]string{
		"anthropic.claude-sonnet-4-20250514-v1:0":    "/model/anthropic.claude-sonnet-4-20250514-v1:0/converse",
		"us.anthropic.claude-sonnet-4-20250514-v1:0": "/model/us.anthropic.claude-sonnet-4-20250514-v1:0/converse",
		"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0": "/model/" +
			"arn:aws:bedrock:us-east-1:123456789012:inference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1:0/converse",
		"arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2": "/model/" +
			"arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile%2Fa1b2/converse",
		"../other": "/model/..%2Fother/converse",
	} {
		out, _, err := bedrock.New().EncodeRequest(dialecttest.Hello(), &dialect.Target{Model: model})
		if err != nil || out.Path != want {
			t.Errorf("%s: %v, %v", model, out, err)
			continue
		}
		mux := http.NewServeMux()
		got := ""
		for _, r := range bedrock.New().Routes() {
			mux.HandleFunc(r.Method+" "+r.Pattern, func(_ http.ResponseWriter, r *http.Request) { got = r.PathValue("modelId") })
		}
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, out.Path, http.NoBody))
		if got != model {
			t.Errorf("%s came out as %q", model, got)
		}
	}
}
