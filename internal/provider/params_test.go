package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

const regional = `
dialect: plain
zone: cloud
base_url: https://{host}/v1/projects/{project}
auth: {scheme: bearer, env: KEY}
params:
  project: {env: PROJECT}
  location: {env: LOCATION, default: global}
  host: {by: location, cases: {global: acme.example}, default: "{location}.acme.example"}
headers: {x-folder: "{project}"}
paths:
  /chat: /deployments/{model}/chat?where={location}
  /models: ""
models:
  - {name: small, wire: "gpt://{project}/small"}
`

func TestParams(t *testing.T) {
	c := loadFiles(t, map[string]string{"acme.yaml": regional})
	for name, tc := range map[string]struct {
		own  map[string]string
		env  []string
		want string // base_url, or why it is off
	}{
		"nothing":       {nil, []string{"KEY", "k"}, "no project: set params.project, or the environment variable PROJECT"},
		"environment":   {nil, []string{"KEY", "k", "PROJECT", "p1"}, "https://acme.example/v1/projects/p1"},
		"configuration": {map[string]string{"project": "p2", "location": "eu"}, []string{"KEY", "k", "PROJECT", "p1"}, "https://eu.acme.example/v1/projects/p2"},
		"derived":       {map[string]string{"project": "p", "host": "own.example"}, []string{"KEY", "k"}, "https://own.example/v1/projects/p"},
	} {
		p := build(t, Remote, "acme", Entry{Params: tc.own}, Deps{Catalogue: c, LookupEnv: env(tc.env...)})
		got := p.Disabled()
		if got == "" {
			got = p.address.base.String()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	for own, want := range map[string]string{"a/b": "may hold letters", "..": "may hold letters", "a?b": "may hold letters", "evil.example#": "may hold letters"} {
		_, err := tryBuild(t, Remote, "acme", Entry{Params: map[string]string{"project": own}}, Deps{Catalogue: c})
		wantError(t, err, scri.ErrInvalid, want)
	}
	_, err := tryBuild(t, Remote, "acme", Entry{Params: map[string]string{"projct": "p"}}, Deps{Catalogue: c})
	wantError(t, err, scri.ErrInvalid, `params.projct is nothing that acme takes; did you mean "project"?`)
	for text, want := range map[string]string{
		"base_url: https://{hots}/v1\n":         `x.yaml:3:11: base_url: "{hots}" is no param`,
		"paths: {/a: '/{what}'}\n":              `"{what}" is no param`,
		"paths: {a: /b}\n":                      "must begin with a slash",
		"params: {a: {by: b}}\n":                `"b" is no param of this entry`,
		"auth: {scheme: oauth, env: K}\n":       "auth.token_url: missing",
		"auth: {scheme: bearr, env: K}\n":       `"bearr" is none of none, bearer, header, query, oauth, google, aws; did you mean "bearer"?`,
		"params: {a: {dfault: b}}\n":            `unknown field "dfault" did you mean "default"?`,
		"models: [{name: m, wire: '{folder}'}]": `"{folder}" is no param`,
	} {
		_, err := tryFiles(t, map[string]string{"x.yaml": "dialect: plain\nzone: cloud\n" + text})
		e := wantError(t, err, scri.ErrInvalid)
		if got := e.Message + " " + e.Hint; !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Requests go to the paths of the entry, with the model's name as the provider
// knows it.
func TestPaths(t *testing.T) {
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.RequestURI()+" "+r.Header.Get("X-Folder"))
		fmt.Fprint(w, `{"text":"hi"}`)
	}))
	t.Cleanup(srv.Close)
	c := loadFiles(t, map[string]string{"acme.yaml": regional})
	p := build(t, Remote, "acme", Entry{BaseURL: srv.URL + "/x?v=1", Params: map[string]string{"project": "p"}}, Deps{Catalogue: c, LookupEnv: env("KEY", "k")})
	for _, model := range []string{"m", "small", "../../evil?x#y"} {
		s, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: model})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"/x/deployments/m/chat?v=1&where=global p",
		"/x/deployments/gpt:%2F%2Fp%2Fsmall/chat?v=1&where=global p",
		"/x/deployments/%2E%2E%2F%2E%2E%2Fevil%3Fx%23y/chat?v=1&where=global p",
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", seen, want)
	}
	_, err := p.List(allowed(t, p))
	wantError(t, err, scri.ErrUnsupported, "has nothing at /models")
}

func TestRerouteKeepsWhatFollows(t *testing.T) {
	p := &Provider{spec: &Spec{Paths: map[string]string{"/v1/models/": "/v1/projects/p/models/"}}}
	for from, want := range map[string]string{
		"/v1/models/m:generate?alt=sse": "/v1/projects/p/models/m:generate?alt=sse",
		"/v1/models":                    "/v1/models",
		"/v1/projects/p/models/m":       "/v1/projects/p/models/m",
	} {
		out := &dialect.Outgoing{Path: from}
		for range 2 { // twice does no harm
			if err := p.reroute(out, "m"); err != nil || out.Path != want {
				t.Errorf("%s leads to %s, %v", from, out.Path, err)
			}
		}
	}
}
