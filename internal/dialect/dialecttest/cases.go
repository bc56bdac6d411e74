package dialecttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// A Case is one of the project's own hand-written examples:
// testdata/<kind>/<dialect>/<name>.<json or txt>, where kind is request,
// response, stream (the bytes as they stand on the wire), error (an object with
// status, headers and body) or embed (an object with request and answer).
type Case struct {
	Kind, Dialect, Name string
	File                string // of the example
	Data                []byte
}

// Golden is the file that shows what a dialect makes of the case.
func (c *Case) Golden(target string) string {
	return filepath.Join(filepath.Dir(c.File), c.Name+"."+target+".golden")
}

// With returns the case with other data.
func (c *Case) With(data []byte) *Case {
	o := *c
	o.Data = data
	return &o
}

// Cases reads the examples.
func Cases(t testing.TB) []*Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*Case
	for _, f := range files {
		ext := filepath.Ext(f)
		if ext == ".golden" || strings.Contains(f, "fuzz") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p := strings.Split(filepath.ToSlash(f), "/")
		list = append(list, &Case{Kind: p[1], Dialect: p[2], Name: strings.TrimSuffix(p[3], ext), File: f, Data: b})
	}
	if len(list) == 0 {
		t.Fatal("no examples in testdata")
	}
	return list
}

// Exchange makes of the example what the laws are asked of.
func (c *Case) Exchange() (*Exchange, error) {
	x := &Exchange{ID: c.Kind + "/" + c.Name, Dialect: c.Dialect, Wire: c.Dialect, Status: http.StatusOK, Header: http.Header{}, RespHeader: http.Header{}}
	switch c.Kind {
	case "request":
		x.Request = compact(c.Data)
	case "response":
		x.Body = compact(c.Data)
	case "stream":
		if x.Stream = c.Data; c.Dialect == "bedrock" {
			x.Stream = Frames(c.Data)
			x.RespHeader.Set("Content-Type", "application/vnd.amazon.eventstream")
		}
		if strings.HasPrefix(c.Name, "error") {
			x.Features = append(x.Features, "stream-error")
		}
	case "embed":
		var e embedded
		if err := json.Unmarshal(c.Data, &e); err != nil {
			return nil, err
		}
		x.Op, x.Path, x.Request, x.Body = scri.OpEmbed, e.Path, compact(e.Request), compact(e.Answer)
	case "error":
		var e struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
			Body    json.RawMessage   `json:"body"`
			Kind    scri.ErrorKind    `json:"kind"`
		}
		if err := json.Unmarshal(c.Data, &e); err != nil {
			return nil, err
		}
		x.Status, x.RespHeader, x.Body, x.Kind = e.Status, headers(e.Headers), compact(e.Body), e.Kind
	default:
		return nil, fmt.Errorf("no kind of example is called %q", c.Kind)
	}
	return x, nil
}

// Translate shows what the dialect makes of the example, and what it says of it.
func (c *Case) Translate(from, to dialect.Dialect) (string, error) {
	if c.Kind == "embed" {
		return c.translateEmbed(from, to)
	}
	x, err := c.Exchange()
	if err != nil {
		return "", err
	}
	a := &dialect.Answer{Status: x.Status, Header: x.RespHeader, Body: x.Body, Target: target("")}
	in := Incoming(to, "", http.Header{}, nil)
	in.Req = AsClient(to, Hello(), c.Kind == "stream")
	var b strings.Builder
	switch c.Kind {
	case "request":
		req, err := from.DecodeRequest(Incoming(from, "", http.Header{}, x.Request))
		if err != nil {
			return "", err
		}
		fit, ported := Port(req, to)
		out, warnings, err := to.EncodeRequest(fit, target(req.Model))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\n%s\n", out.Method, out.Path, Pretty(out.Body))
		told(&b, "port: ", ported)
		told(&b, "", warnings)
	case "response":
		r, err := from.DecodeResponse(a)
		if err != nil {
			return "", err
		}
		out, warnings := to.EncodeResponse(nil, in, r)
		fmt.Fprintf(&b, "%s\n", Pretty(out))
		told(&b, "", warnings)
	case "stream":
		out, h, warnings := WriteStream(to, in.Req, open(from, x.RespHeader, strings.NewReader(string(x.Stream))))
		if lines := Lines(out); lines != "" {
			out = []byte(lines)
		}
		fmt.Fprintf(&b, "%s\n\n%s\n", h.Get("Content-Type"), out)
		told(&b, "", warnings)
	case "error":
		e := from.DecodeError(a)
		status, out := to.EncodeError(nil, e)
		fmt.Fprintf(&b, "%s, retry after %s\n%d\n%s\n", e.Kind, e.RetryAfter, status, Pretty(out))
	}
	return b.String(), nil
}

func told(b *strings.Builder, by string, warnings []scri.Warning) {
	for _, w := range warnings {
		fmt.Fprintf(b, "%s%s %s", by, w.Code, w.Path)
		if w.From != "" || w.To != "" {
			fmt.Fprintf(b, " (%s -> %s)", w.From, w.To)
		}
		if w.Detail != "" {
			fmt.Fprintf(b, ": %s", w.Detail)
		}
		b.WriteByte('\n')
	}
}

// Hello is a request that asks for nothing in particular.
func Hello() *scri.ChatRequest {
	return &scri.ChatRequest{Model: someModel, Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("hello")}}}}
}
