package dialecttest

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aratta-gateway/aratta/internal/corpus"
)

// Exchange is one recorded request with its answer.
type Exchange = corpus.Exchange

// Corpus reads all recorded exchanges, in the order of their ids.
func Corpus(t testing.TB) []*Exchange {
	t.Helper()
	list, err := corpus.Read(filepath.Join(Shared(t), "wire"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Shared returns the folder of data shared between projects, and skips the test
// when there is none. ARATTA_SHARED names it; else it lies beside the repository.
func Shared(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ARATTA_SHARED")
	if dir == "" {
		root := Root(t)
		dir = filepath.Join(filepath.Dir(root), "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "wire", "README.md")); err != nil {
		t.Skipf("the recorded traffic is absent: no wire/README.md in %s (set ARATTA_SHARED)", dir)
	}
	return dir
}

// Root returns the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod in any folder above the test")
		}
		dir = up
	}
}

func headers(m map[string]string) http.Header { return corpus.Headers(m) }

func compact(raw json.RawMessage) []byte { return corpus.Compact(raw) }
