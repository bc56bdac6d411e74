package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// nodeClients is where the SDKs for JavaScript and their tests are.
const nodeClients = "../test/clients"

// TestNode runs the tests of the SDKs for JavaScript, each file against the
// gateway and the providers that the SDKs for Go have, too.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err == nil {
		// The mark is set when all are installed.
		_, err = os.Stat(filepath.Join(nodeClients, "node_modules", ".installed"))
	}
	if err != nil {
		if os.Getenv("ARATTA_NODE") == "required" {
			t.Fatal(err)
		}
		t.Skip("Node.js or the SDKs for it are not installed, make test does the latter: ", err)
	}
	files, err := filepath.Glob(filepath.Join(nodeClients, "*.test.js"))
	if err != nil || len(files) == 0 {
		t.Fatal("no tests: ", err)
	}
	control := httptest.NewServer(remote(t))
	t.Cleanup(func() {
		control.Close()
		for _, u := range append(shared.providers, shared.reserve) {
			u.says(t, nil)
		}
	})
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".test.js"), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", name)
			cmd.Dir, cmd.WaitDelay = nodeClients, 5*time.Second
			// Nothing of the user's: SDKs take keys and addresses from the environment.
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "ARATTA_URL=" + shared.aratta.url, "ARATTA_CONTROL=" + control.URL}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			} else if testing.Verbose() {
				t.Logf("%s", out)
			}
		})
	}
}

// remote lets another process set the providers and look at them:
//
//	GET  /                  their formats, names and what each has no words for
//	POST /{name}/answer     a native answer to give from now on; none = an echo
//	POST /{name}/refusal    an error, as package scri has it
//	POST /{name}/fault      a sim.Fault until the next answer or refusal
//	POST /{name}/hold       the next answers stop after their first words, or {"from": writes}
//	GET  /{name}/held       waits until one is stopped
//	POST /{name}/release    they go on
//	GET  /{name}/gone       waits until the gateway hung up on a held answer
//	GET  /{name}/requests   what was asked since the last answer was set, in native words
//	GET  /{name}/seen       the newest request as it came: path, header, body
func remote(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, f func(u *upstream, w http.ResponseWriter, r *http.Request) error) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /{name}"+path, func(w http.ResponseWriter, r *http.Request) {
			for _, u := range append(shared.providers, shared.reserve) {
				if u.name != r.PathValue("name") {
					continue
				}
				if err := f(u, w, r); err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
				}
				return
			}
			http.NotFound(w, r)
		})
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(described()) })
	on("POST /answer", func(u *upstream, _ http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) == 0 {
			u.says(t, nil)
			return err
		}
		a, err := all.Get("native").DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: body})
		if err == nil {
			u.says(t, a)
		}
		return err
	})
	on("POST /refusal", func(u *upstream, _ http.ResponseWriter, r *http.Request) error {
		var no scri.Error
		err := json.NewDecoder(r.Body).Decode(&no)
		u.refuses(t, &no)
		return err
	})
	on("POST /fault", func(u *upstream, _ http.ResponseWriter, r *http.Request) error {
		var f sim.Fault
		if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
			return err
		}
		u.sim.Set(f)
		return f.Check()
	})
	on("POST /hold", func(u *upstream, _ http.ResponseWriter, r *http.Request) error {
		after := struct{ From int }{afterFirst}
		if err := json.NewDecoder(r.Body).Decode(&after); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		u.holds(t, after.From)
		return nil
	})
	on("POST /release", func(u *upstream, _ http.ResponseWriter, _ *http.Request) error {
		if h := u.held(); h != nil {
			h.free()
		}
		return nil
	})
	on("GET /gone", func(u *upstream, _ http.ResponseWriter, _ *http.Request) error {
		return u.until(func(h *hold) <-chan struct{} { return h.gone })
	})
	on("GET /held", func(u *upstream, _ http.ResponseWriter, _ *http.Request) error {
		return u.until(func(h *hold) <-chan struct{} { return h.stopped })
	})
	on("GET /requests", func(u *upstream, w http.ResponseWriter, _ *http.Request) error {
		list := []json.RawMessage{}
		for _, r := range u.requests() {
			out, _, err := all.Get("native").EncodeRequest(r, &dialect.Target{})
			if err != nil {
				return err
			}
			list = append(list, out.Body)
		}
		return json.NewEncoder(w).Encode(list)
	})
	on("GET /seen", func(u *upstream, w http.ResponseWriter, _ *http.Request) error {
		last, _ := u.sim.Last()
		return json.NewEncoder(w).Encode(map[string]any{"path": last.Path, "header": last.Header, "body": string(last.Body)})
	})
	return mux
}

// until waits for something to happen to a held answer.
func (u *upstream) until(what func(*hold) <-chan struct{}) error {
	h := u.held()
	if h == nil {
		return errors.New("nothing is held")
	}
	select {
	case <-what(h):
		return nil
	case <-time.After(patience):
		return context.DeadlineExceeded
	}
}

// described tells of the providers.
func described() any {
	type told struct {
		Name   string   `json:"name"`
		Format string   `json:"format"`
		Lacks  []string `json:"lacks"`
	}
	list := []told{}
	for _, u := range shared.providers {
		list = append(list, told{u.name, u.format, lacking()[u.format]})
	}
	return map[string]any{"model": model, "providers": list, "reserve": shared.reserve.name, "key": providerKey}
}
