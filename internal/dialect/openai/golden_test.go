package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden shows what the decoders make of each example, as files to read.
func TestGolden(t *testing.T) {
	for kind, show := range map[string]func([]byte) (any, error){
		"request": showRequest, "response": showResponse, "stream": showStream, "error": showError,
	} {
		files, err := filepath.Glob(filepath.Join("testdata", kind, "*.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) { golden(t, file, show) })
		}
	}
}

func golden(t *testing.T, file string, show func([]byte) (any, error)) {
	t.Helper()
	in, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := show(in)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(file, filepath.Ext(file)) + ".scri.golden"
	if *update {
		if err := os.WriteFile(want, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(b), got.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func showRequest(in []byte) (any, error) {
	return openai.New().DecodeRequest(&dialect.Incoming{Body: in})
}

func showResponse(in []byte) (any, error) {
	return openai.New().DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: in})
}

func showStream(in []byte) (any, error) {
	s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(in)})
	var list []any
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return append(list, scri.AsError(err)), nil
		}
		list = append(list, e.Clone())
	}
}

func showError(in []byte) (any, error) {
	var x struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
	if err := json.Unmarshal(in, &x); err != nil {
		return nil, err
	}
	h := http.Header{}
	for k, v := range x.Headers {
		h.Set(k, v)
	}
	e := openai.New().DecodeError(&dialect.Answer{Status: x.Status, Header: h, Body: x.Body})
	status, body := openai.New().EncodeError(nil, e)
	return map[string]any{
		"error": e, "retry_after": e.RetryAfter.String(), "status_told": status, "told": json.RawMessage(body),
	}, nil
}
