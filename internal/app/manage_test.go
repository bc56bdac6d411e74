package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/sock/socktest"
	"github.com/aratta-gateway/aratta/internal/telemetry"
)

// ownOllama is a configuration whose Ollama, a simulated one, the gateway starts.
func ownOllama(addr, more string) string {
	return fmt.Sprintf("[local.ollama]\nbase_url = \"http://%s\"\nmanage = true\ncommand = [\"aratta\", \"sim\", \"--control\", \"127.0.0.1:0\", \"--provider\", \"ollama=%s\"]\n%s", addr, addr, more)
}

// A runtime that is installed and does not run is started before the gateway
// listens, answers, and ends with the gateway.
func TestServeStartsRuntime(t *testing.T) {
	dir, addr := t.TempDir(), socktest.FreeAddr(t)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(ownOllama(addr, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(dir, []string{"ARATTA_API_KEYS=sk-of-a-client"}, "serve", "--host", "127.0.0.1", "--port", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	gateway, err := p.says(listening)
	if err != nil {
		t.Fatal(err)
	}
	if !socktest.Listens(addr) {
		t.Fatalf("the gateway listens before its runtime:\n%s", p.out.String())
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+gateway+"/v1/chat/completions", strings.NewReader(`{"model":"local","messages":[{"role":"user","content":"a private question"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s:\n%s", res.Status, p.out.String())
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.ended(); err != nil {
		t.Error(err)
	}
	if out := p.out.String(); socktest.Listens(addr) || !strings.Contains(out, `"msg":"runtime: stopped","name":"ollama"`) || strings.Contains(out, "private") {
		t.Errorf("the runtime still listens: %t\n%s", socktest.Listens(addr), out)
	}
}

// A reload keeps the runtime as long as it is wanted as it is, stops it when it no
// longer is, and starts it again.
func TestReloadAndRuntimes(t *testing.T) {
	addr := socktest.FreeAddr(t)
	f := newFile(t, ownOllama(addr, ""))
	reload := func(text string) *running {
		t.Helper()
		f.write(t, text)
		if _, err := f.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.closing.Wait()
		r := f.now.Load()
		r.awaitRuntimes(t.Context().Done())
		return r
	}
	first := f.now.Load()
	first.awaitRuntimes(t.Context().Done())
	if !socktest.Listens(addr) {
		t.Fatalf("it was not started:\n%s", f.log)
	}
	if r := reload(ownOllama(addr, "[aliases]\na = \"ollama\"\n")); len(r.kept) != 1 || r.kept[0] != first.kept[0] || !socktest.Listens(addr) {
		t.Error("another alias made another runtime")
	}
	f.write(t, "[server]\nport = 0.5\n")
	if _, err := f.Reload(t.Context()); err == nil || !socktest.Listens(addr) {
		t.Errorf("a mistake stopped it: %v", err)
	}
	if reload(strings.Replace(ownOllama(addr, ""), "manage = true", "manage = false", 1)); socktest.Listens(addr) {
		t.Errorf("it was not stopped:\n%s", f.log)
	}
	second := reload(ownOllama(addr, ""))
	if !socktest.Listens(addr) {
		t.Fatalf("it was not started again:\n%s", f.log)
	}
	if r := reload(strings.Replace(ownOllama(addr, ""), `"sim",`, `"sim", "--pace", "1ms",`, 1)); r.kept[0] == second.kept[0] || !socktest.Listens(addr) || strings.Count(f.log.String(), "runtime: started") != 3 {
		t.Errorf("another command did not start another:\n%s", f.log)
	}
}

// A runtime that is wanted again while requests of an earlier configuration still hold
// it is not taken for somebody else's, and does not end with them.
func TestRuntimeIsWantedAgain(t *testing.T) {
	addr := socktest.FreeAddr(t)
	f := newFile(t, ownOllama(addr, ""))
	other := strings.Replace(ownOllama(addr, ""), `"sim",`, `"sim", "--pace", "1ms",`, 1)
	unmanaged := strings.Replace(ownOllama(addr, ""), "manage = true", "manage = false", 1)
	f.now.Load().awaitRuntimes(t.Context().Done())
	for _, steps := range [][]string{{unmanaged, ownOllama(addr, "")}, {other, unmanaged, ownOllama(addr, "")}} {
		first := f.now.Load()
		first.hold() // a request under way
		for _, text := range steps {
			f.write(t, text)
			if _, err := f.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(steps) == 2 { // or it waits for the end of the one before the one before
			f.now.Load().awaitRuntimes(t.Context().Done())
		}
		first.release()
		f.closing.Wait()
		f.now.Load().awaitRuntimes(t.Context().Done())
		if !socktest.Listens(addr) || strings.Contains(f.log.String(), "left alone") {
			t.Fatalf("after %d reloads nobody answers:\n%s", len(steps), f.log)
		}
	}
}

// A request that was cut off and has not ended when the gateway does leaves no runtime
// behind, whether it ends then or never, and whatever was loaded since it came.
func TestRuntimeEndsBehindRequests(t *testing.T) {
	for _, c := range []struct{ ends, changed bool }{{ends: true}, {}, {changed: true}} {
		dir, addr, log, ends := t.TempDir(), socktest.FreeAddr(t), &logBuffer{}, c.ends
		e := env("ARATTA_HOME", dir)
		read := func(text string) *Loaded {
			l, err := Read(filepath.Join(dir, "config.toml"), []byte(text), e)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		g := &live{version: "test", env: e, log: slog.New(slog.NewJSONHandler(log, nil)), meter: telemetry.New("test"), override: func(*Loaded) {}}
		if err := g.begin(t.Context(), read(ownOllama(addr, ""))); err != nil {
			t.Fatal(err)
		}
		r := g.now.Load()
		r.awaitRuntimes(t.Context().Done())
		r.hold()
		if ends {
			time.AfterFunc(lastHandlers/20, r.release)
		}
		if c.changed {
			other := read(strings.Replace(ownOllama(addr, ""), `"sim",`, `"sim", "--pace", "1ms",`, 1))
			if _, err := g.change(t.Context(), other, "a text", func() error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		g.close()
		if text := log.String(); socktest.Listens(addr) || !strings.Contains(text, "runtime: stopped") || ends == strings.Contains(text, "have not ended") {
			t.Errorf("the request ends: %t; it still listens: %t\n%s", ends, socktest.Listens(addr), text)
		}
		if !ends {
			r.release() // or goroutines would wait for it
		}
	}
}

func TestRuntimeProblems(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{"[local.ollama]\nmanage = true\nbase_url = \"http://10.0.0.7:11434\"\n", ":2:1: local.ollama.manage: a runtime is started under [local] alone"},
		{"[local.llamacpp]\nmanage = true\n", ":2:1: local.llamacpp.manage: say how it is started: command = "},
		{"[local.llamacpp]\nmanage = true\ncommand = [\"\"]\n", ":3:1: local.llamacpp.command: the first is the program"},
		{"[providers.openai]\nmanage = true\n", ":2:1: providers.openai.manage: a runtime is started under [local] alone"},
		{"[local.llamacpp]\nmanage = true\ncommand = [\"no-such-llama\"]\n", "warning: :2:1: local.llamacpp.manage: no-such-llama is not found"},
		{"[local.llamacpp]\ncommand = [\"llama-server\"]\n", "warning: :2:1: local.llamacpp.command: has no effect without manage = true"},
	} {
		s, err := load(t, c.config, allKeys)
		got := fmt.Sprint(err)
		want, warns := strings.CutPrefix(c.want, "warning: ")
		if err == nil {
			got = strings.Join(s.Warnings, "\n")
		}
		if warns != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", c.config, got)
		}
	}
	s, err := load(t, "[local.ollama]\nmanage = true\nbase_url = \"http://127.0.0.1:11500\"\n", env())
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Own[0]; !slices.Equal(r.command, []string{"ollama", "serve"}) || r.listen != "127.0.0.1:11500" || r.probe != "http://127.0.0.1:11500/api/version" {
		t.Errorf("%+v", r)
	}
}

// A runtime gets no key of a provider or a client, and is told where to listen.
func TestChildEnv(t *testing.T) {
	l, err := Read("", []byte("[local.mine]\ntype = \"vllm\"\napi_key_env = \"OUR_MODEL\"\n[providers.openai]\napi_key_env = \"COMPANY_LLM\"\n"), env())
	if err != nil {
		t.Fatal(err)
	}
	got := childEnv([]string{
		"PATH=/bin", "OPENAI_API_KEY=sk", "ARATTA_API_KEYS=a,b", "ARATTA_HOME=/x", "GITHUB_TOKEN=t", "AWS_SECRET_ACCESS_KEY=s", "OTEL_EXPORTER_OTLP_HEADERS=a=b",
		"OLLAMA_HOST=0.0.0.0", "OLLAMA_MODELS=/m", "LLAMA_API_KEY=own", "HF_TOKEN=own", "CUDA_VISIBLE_DEVICES=0", "TOKENIZERS_PARALLELISM=false",
		"COMPANY_LLM=sk", "OUR_MODEL=own",
	}, "127.0.0.1:1", l.keysBeside("mine"))
	want := []string{"PATH=/bin", "OLLAMA_MODELS=/m", "LLAMA_API_KEY=own", "HF_TOKEN=own", "CUDA_VISIBLE_DEVICES=0", "TOKENIZERS_PARALLELISM=false", "OUR_MODEL=own", "OLLAMA_HOST=127.0.0.1:1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// No key of the catalogue is given to a runtime but its own.
func TestCatalogueKeysAreSecret(t *testing.T) {
	c, err := provider.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Names() {
		spec, _ := c.Spec(name)
		if key := spec.Auth.Env; key != "" && secret(key) == (spec.Zone == provider.ZoneLocal) && key != "HF_TOKEN" { // with which vLLM fetches its models
			t.Errorf("%s of %s: secret %t", key, name, secret(key))
		}
	}
}
