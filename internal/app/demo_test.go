package app

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

// A port that is in use is said, and another taken.
func TestDemoOnABusyPort(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Main(t.Context(), "test", []string{"demo", "--once", "--ollama", "", "--port", port}, IO{
		In: strings.NewReader(""), Out: &out, Err: &errs, Env: env("ARATTA_HOME", t.TempDir()),
	})
	if code != 0 || !strings.Contains(out.String(), "port "+port+" is in use") {
		t.Errorf("code %d, %s%s", code, out.String(), errs.String())
	}
}

func TestHowItWasCalled(t *testing.T) {
	for arg0, want := range map[string]string{
		"aratta":                         "aratta",
		"bin/aratta":                     "bin/aratta",
		"/tmp/go-build1/b001/exe/aratta": "go run ./cmd/aratta",
		"/opt/my tools/aratta":           "aratta",
	} {
		if got := called(arg0); got != want {
			t.Errorf("%s: %q, want %q", arg0, got, want)
		}
	}
}
