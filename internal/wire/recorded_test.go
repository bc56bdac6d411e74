package wire_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// recorded is one exchange with a real provider.
type recorded struct {
	path    string
	Request struct{ Body json.RawMessage }
	// Response.SSE is the raw stream, NDJSON in Ollama's case.
	Response struct {
		Body       json.RawMessage
		SSE        string
		ChunkBytes []int `json:"chunk_bytes"`
	}
}

// recordings calls f for each exchange of the shared corpus.
func recordings(t *testing.T, f func(t *testing.T, r *recorded)) {
	t.Helper()
	root := os.Getenv("ARATTA_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	root = filepath.Join(root, "wire")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the recorded traffic is not here; ARATTA_SHARED names the folder that holds wire/")
	}
	n := 0
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := recorded{}
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		r.path, _ = filepath.Rel(root, path)
		n++
		f(t, &r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d exchanges", n)
}

// Every recorded body is a sound document and is walked to its value.
func TestRecordedBodies(t *testing.T) {
	recordings(t, func(t *testing.T, r *recorded) {
		for _, doc := range [][]byte{r.Request.Body, r.Response.Body} {
			if len(doc) == 0 {
				continue
			}
			if err := wire.Valid(doc); err != nil {
				t.Errorf("%s: %v", r.path, err)
			}
			checkDocument(t, doc)
		}
	})
}

// Every recorded stream gives the frames of the standard's algorithm, however
// it is cut, and every frame is JSON or a known word.
func TestRecordedStreams(t *testing.T) {
	recordings(t, func(t *testing.T, r *recorded) {
		in := r.Response.SSE
		if in == "" {
			return
		}
		sizes := r.Response.ChunkBytes
		if len(sizes) == 0 {
			sizes = []int{1000, 1, 77, 5000}
		}
		open := func(cut bool) wire.FrameReader {
			read := strings.NewReader(in)
			if !strings.HasPrefix(in, "{\"") {
				if cut {
					return wire.NewSSE(iotest.OneByteReader(read), 0)
				}
				return wire.NewSSE(read, 0)
			}
			if cut {
				return wire.NewNDJSON(iotest.OneByteReader(read), 0)
			}
			return wire.NewNDJSON(read, 0)
		}
		frames, err := drain(open(false))
		if err != nil {
			t.Errorf("%s: %v", r.path, err)
		}
		if again, err := drain(open(true)); err != nil || !cmp.Equal(frames, again) {
			t.Errorf("%s: other frames byte by byte, %v", r.path, err)
		}
		s := wire.NewScanner(nil)
		for _, f := range frames {
			if f.Comment || f.Data == "[DONE]" {
				continue
			}
			s.Reset([]byte(f.Data))
			if s.Skip(); s.End() != nil {
				t.Errorf("%s: %v in %s", r.path, s.Err(), f.Data)
			}
		}
		if strings.HasPrefix(in, "{\"") {
			checkNDJSON(t, in, sizes, 0)
			return
		}
		checkSSE(t, in, sizes, 0)
		plain := strings.HasPrefix(in, "{")
		if g := wire.NewSSE(strings.NewReader(in), 0); len(frames) == 0 != plain {
			t.Errorf("%s: %d frames, %s", r.path, len(frames), g.GarbageText())
		}
	})
}

// A refused Gemini stream is one JSON document under the event stream's type.
func TestRecordedBodyInsteadOfStream(t *testing.T) {
	seen := false
	recordings(t, func(t *testing.T, r *recorded) {
		in := string(r.Response.Body)
		if !strings.Contains(r.path, "google-error400-auth-a04dc3c1") {
			return
		}
		seen = true
		s := wire.NewSSE(strings.NewReader(in), 0)
		if frames, err := drain(s); len(frames) > 0 || err != nil || s.Garbage() == 0 || !strings.Contains(s.GarbageText(), "API") {
			t.Errorf("%v, %v, %d lines: %s", frames, err, s.Garbage(), s.GarbageText())
		}
	})
	if !seen {
		t.Error("the recording is gone")
	}
}
