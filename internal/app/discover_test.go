package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/provider"
)

// A gateway does not ask itself, by whatever name its address is given; not even from
// the next start on.
func TestNotItself(t *testing.T) {
	for _, c := range []struct {
		host, base string
		itself     bool
	}{
		{"0.0.0.0", "http://localhost:9000", true},
		{"0.0.0.0", "http://127.0.0.1:9000/v1", true},
		{"0.0.0.0", "http://127.8.9.10:9000", true},
		{"::", "http://[::1]:9000", true},
		{"127.0.0.1", "http://localhost:9000", true},
		{"127.0.0.1", "http://0.0.0.0:9000", true},
		{"localhost", "http://127.0.0.1:9000", true},
		{"192.168.7.9", "http://192.168.7.9:9000", true},
		{"0.0.0.0", "http://localhost:9001", false},
		{"127.0.0.1", "http://127.0.0.2:9000", false},
		{"127.0.0.2", "http://localhost:9000", false},
		{"127.0.0.2", "http://127.0.0.2:9000", true},
		{"192.168.7.9", "http://localhost:9000", false},
		{"0.0.0.0", "http://192.168.7.8:9000", false},
	} {
		_, err := load(t, fmt.Sprintf("[server]\nhost = %q\nport = 9000\n[local.ollama]\nbase_url = %q\nzone = \"local\"\n", c.host, c.base), env())
		if c.itself != (err != nil) || c.itself && !strings.Contains(err.Error(), ":5:1: local.ollama.base_url: ") {
			t.Errorf("%s at %s: %v", c.base, c.host, err)
		}
	}
	// One that listens at another port than its configuration says by now.
	f := newFile(t, "")
	f.port = 9000
	for _, port := range []int{9000, 9002} {
		f.write(t, fmt.Sprintf("[server]\nport = 9002\n[local.ollama]\nbase_url = \"http://localhost:%d\"\n", port))
		if _, err := f.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "it would ask itself") {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// Another gateway at the usual place of a runtime is no runtime: what it has may be
// far away.
func TestGatewayIsNoRuntime(t *testing.T) {
	other := newFile(t, oneProvider(simURL(t), ""))
	other.do(t, "GET", "/v1/models", "") // so that it knows when it is asked in a hurry
	f := newFile(t, "")
	f.discover = true
	dir := filepath.Join(filepath.Dir(f.path), "providers")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range runtimes() {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte("base_url: "+other.url+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.Reload(t.Context())
	s, serr := (&program{IO: IO{Env: f.env, LookFor: patience / 4}}).survey(t.Context(), former{})
	if err := errors.Join(err, serr); err != nil {
		t.Fatal(err)
	}
	for _, p := range f.now.Load().Providers {
		if p.Kind() == provider.Local {
			t.Errorf("%s is a gateway", p.Name())
		}
	}
	if warn := strings.Join(f.now.Load().Warnings, "\n"); strings.Count(warn, "a gateway answers, so it is left alone") != len(runtimes()) {
		t.Errorf("%s", warn)
	}
	for i := range s.runtimes {
		if s.runtimes[i].ready {
			t.Errorf("init finds %s", s.runtimes[i].name)
		}
	}
}
