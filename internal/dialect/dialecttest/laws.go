package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// A law function returns what breaks the law, nothing when it is kept.

// guard turns a crash into a broken law.
func guard(f func() []string) (out []string) {
	defer func() {
		if r := recover(); r != nil {
			out = []string{fmt.Sprintf("panic: %v at %s", r, where(string(debug.Stack())))}
		}
	}()
	return f()
}

// where finds the first of our own lines below the panic, without addresses.
func where(stack string) string {
	_, after, found := strings.Cut(stack, "panic(")
	if !found {
		after = stack
	}
	for line := range strings.Lines(after) {
		line = strings.TrimSpace(line)
		if i := strings.Index(line, "/internal/"); i >= 0 && strings.Contains(line, ".go:") && !strings.Contains(line, "/dialecttest/") {
			line, _, _ = strings.Cut(line[i+1:], " ")
			return line
		}
	}
	return "an unknown place"
}

// chatRoute returns the dialect's own route for a path, or its first for chat, and the
// values of the path.
func chatRoute(d dialect.Dialect, path string) (dialect.Route, func(string) string) {
	none := func(string) string { return "" }
	var first *dialect.Route
	for _, r := range d.Routes() {
		if r.Op != scri.OpChat {
			continue
		}
		if r.Pattern == path || path != "" && strings.HasSuffix(r.Pattern, path) {
			return r, none
		}
		if r.Verb != "" && strings.HasSuffix(path, ":"+r.Verb) {
			if model, ok := strings.CutPrefix(strings.TrimSuffix(path, ":"+r.Verb), r.Pattern[:strings.IndexByte(r.Pattern, '{')]); ok {
				return r, func(string) string { return model }
			}
		}
		if value, ok := within(r.Pattern, path); ok && r.Verb == "" {
			return r, func(string) string { return value }
		}
		if first == nil && r.Variant == "" {
			first = &r
		}
	}
	if first == nil {
		return dialect.Route{Method: http.MethodPost, Op: scri.OpChat}, none
	}
	return *first, none
}

// within is what stands in a path for the one parameter of a pattern.
func within(pattern, path string) (string, bool) {
	before, after, ok := strings.Cut(pattern, "{")
	if !ok {
		return "", false
	}
	_, after, _ = strings.Cut(after, "}")
	value, ok := strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(value, after)
}

// Incoming makes what a server of the dialect would be given.
func Incoming(d dialect.Dialect, path string, h http.Header, body []byte) *dialect.Incoming {
	u, err := url.Parse(path)
	if err != nil {
		u = &url.URL{Path: path}
	}
	in := &dialect.Incoming{Header: h, Query: u.Query(), Body: body}
	in.Route, in.Param = chatRoute(d, u.Path)
	return in
}

// streamPath is where a client of the dialect asks for a stream.
func streamPath(d dialect.Dialect) string {
	req := Hello()
	req.Stream = true
	out, _, err := d.EncodeRequest(req, target(""))
	if err != nil {
		return ""
	}
	return out.Path
}

const someModel = "some-model"

// target is one that asks for nothing the request does not.
func target(model string) *dialect.Target {
	if model == "" {
		model = someModel
	}
	return &dialect.Target{Model: model}
}

// asked is the target of which an answer came. Formats that do not say which model
// answers take it from there.
func asked(r *scri.ChatResponse) *dialect.Target { return &dialect.Target{Model: r.Model} }

// Law1Request tests this: decode then encode gives the same JSON value.
func Law1Request(d dialect.Dialect, path string, h http.Header, body []byte) []string {
	return guard(func() []string {
		in := Incoming(d, path, h, body)
		x, err := d.DecodeRequest(in)
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		if len(in.More) > 0 {
			return nil // several requests in one body, which leave as several
		}
		out, warnings, err := d.EncodeRequest(x, target(x.Model))
		if err != nil {
			return []string{"encode: " + err.Error()}
		}
		problems := JSONDiff(body, out.Body)
		if x.Model == "" { // it stood in the path, or was left to the server
			problems = slices.DeleteFunc(problems, func(p string) bool { return strings.HasPrefix(p, "/model: ") })
			warnings = slices.DeleteFunc(warnings, func(w scri.Warning) bool { return w.Path == "/ext/model" })
		}
		warnings = slices.DeleteFunc(slices.Clone(warnings), func(w scri.Warning) bool {
			n := len(problems) // what the format demands and the client left out
			problems = slices.DeleteFunc(problems, func(p string) bool {
				return w.Code == scri.WarnAdded && (strings.HasPrefix(p, w.Path+": added") || strings.HasPrefix(p, w.Path+": <nil> became"))
			})
			return len(problems) < n
		})
		return append(problems, unfounded(warnings)...)
	})
}

func unfounded(warnings []scri.Warning) []string {
	var out []string
	for _, w := range warnings {
		out = append(out, fmt.Sprintf("false alarm: %s %s", w.Code, w.Path))
	}
	return out
}

// Law1Response tests this: decode then encode gives the same JSON value.
func Law1Response(d dialect.Dialect, req *scri.ChatRequest, a *dialect.Answer) []string {
	return guard(func() []string {
		r, err := d.DecodeResponse(a)
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		in := Incoming(d, "", http.Header{}, nil)
		in.Req = req
		b, warnings := d.EncodeResponse(nil, in, r)
		return append(JSONDiff(a.Body, b), unfounded(warnings)...)
	})
}

// Law2 tests this: an answer that is told as a stream, each event of it handed on as a
// copy, is the same again when it is put together.
func Law2(r *scri.ChatResponse) []string {
	return guard(func() []string {
		again, err := scri.Collect(scri.Map(scri.Replay(r), func(e *scri.StreamEvent) (*scri.StreamEvent, error) { return e.Clone(), nil }))
		if err != nil {
			return []string{err.Error()}
		}
		if d := cmp.Diff(r, again, cmpopts.EquateEmpty()); d != "" {
			return []string{"(-before +after) " + d}
		}
		return nil
	})
}

// inPieces tests this: a request whose texts stay where the client wrote them, in
// source, is the same to the byte.
func inPieces(to dialect.Dialect, x *scri.ChatRequest, source []byte) []string {
	fit, _ := Port(x, to)
	one, _, err := to.EncodeRequest(fit, target(x.Model))
	if err != nil {
		return nil // law 4 tells it
	}
	t := target(x.Model)
	t.Source, t.Piece = source, 2
	several, _, err := to.EncodeRequest(fit, t)
	if err != nil {
		return []string{"encode in pieces: " + err.Error()}
	}
	got := several.Body
	if several.Pieces != nil {
		got = bytes.Join(several.Pieces, nil)
	}
	if !bytes.Equal(got, one.Body) {
		return []string{fmt.Sprintf("in pieces: %q, in one: %q", got, one.Body)}
	}
	return nil
}

// Port fits a request to a dialect as the gateway does before encoding.
func Port(x *scri.ChatRequest, to dialect.Dialect) (*scri.ChatRequest, []scri.Warning) {
	return scri.Port(x, to.Traits())
}

// Law4Request tests this: what differs after a request of any dialect went through this
// one is what the warnings say; and what it wrote, it reads and writes again.
func Law4Request(to dialect.Dialect, x *scri.ChatRequest) []string {
	return guard(func() []string {
		if x.Model == "" {
			c := *x
			c.Model, x = someModel, &c
		}
		fit, warnings := Port(x, to)
		problems := prefixed("port ", Match(DiffRequests(x, fit), warnings))
		out, warnings, err := to.EncodeRequest(fit, target(x.Model))
		if err != nil {
			return append(problems, "encode: "+err.Error())
		}
		z, err := to.DecodeRequest(Incoming(to, out.Path, out.Header, out.Body))
		if err != nil {
			return append(problems, "what was encoded is no valid request: "+err.Error())
		}
		problems = append(problems, Match(DiffRequests(fit, z), warnings)...)
		return append(problems, prefixed("again ", Law1Request(to, out.Path, out.Header, out.Body))...)
	})
}

func prefixed(p string, list []string) []string {
	for i := range list {
		list[i] = p + list[i]
	}
	return list
}

// AsClient returns the request x as a client of the dialect would have sent it
// that wants a stream, with its usage, or a whole answer.
func AsClient(to dialect.Dialect, x *scri.ChatRequest, stream bool) (req *scri.ChatRequest) {
	c := *x
	c.Stream = stream
	x, req = &c, &c
	defer func() {
		if recover() != nil {
			req = x // the request laws tell of it
		}
	}()
	fit, _ := Port(x, to)
	t := target(x.Model)
	t.WantUsage = true
	out, _, err := to.EncodeRequest(fit, t)
	if err != nil {
		return x
	}
	z, err := to.DecodeRequest(Incoming(to, out.Path, out.Header, out.Body))
	if err != nil {
		return x
	}
	return z
}

// Law4Response tests this: what differs after an answer went through the dialect is what
// the warnings say.
func Law4Response(to dialect.Dialect, req *scri.ChatRequest, r *scri.ChatResponse) []string {
	return guard(func() []string {
		in := Incoming(to, "", http.Header{}, nil)
		in.Req = req
		b, warnings := to.EncodeResponse(nil, in, r)
		a := &dialect.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: b, Target: asked(r)}
		z, err := to.DecodeResponse(a)
		if err != nil {
			return []string{"what was encoded is no answer: " + err.Error()}
		}
		problems := append(Match(DiffResponses(r, z), warnings), sameCalls(callsIn(r), callsIn(z), false)...)
		return append(problems, prefixed("again ", Law1Response(to, req, a))...)
	})
}

// Law7 tests this: schemas and arguments come out of the dialect byte for byte, and tools
// in their order. A schema that is reduced for the target is told of instead.
func Law7(to dialect.Dialect, x *scri.ChatRequest) []string {
	return guard(func() []string {
		fit, _ := Port(x, to)
		out, warnings, err := to.EncodeRequest(fit, target(x.Model))
		if err != nil {
			return []string{"encode: " + err.Error()}
		}
		z, err := to.DecodeRequest(Incoming(to, out.Path, out.Header, out.Body))
		if err != nil {
			return []string{"what was encoded is no valid request: " + err.Error()}
		}
		if slices.ContainsFunc(warnings, func(w scri.Warning) bool { return w.Code == scri.WarnAdded && w.Path == "/tools" }) {
			z.Tools = nil // made for a history that needs some
		}
		problems := sameTools(fit.Tools, z.Tools, warnings)
		return append(problems, sameCalls(callsOf(fit), callsOf(z), false)...)
	})
}

// sameTools compares schemas, but those of which a warning tells that the target
// takes less.
func sameTools(a, b []scri.Tool, warnings []scri.Warning) (problems []string) {
	at := 0
	for i := range b {
		for at < len(a) && a[at].Name != b[i].Name {
			at++
		}
		if at == len(a) {
			return append(problems, fmt.Sprintf("tool %q is out of order or new", b[i].Name))
		}
		if s := b[i].Schema; len(s) > 0 && len(a[at].Schema) > 0 && !bytes.Equal(a[at].Schema, s) &&
			!slices.ContainsFunc(warnings, func(w scri.Warning) bool {
				return strings.HasPrefix(w.Path+"/", fmt.Sprintf("/tools/%d/schema/", at))
			}) {
			problems = append(problems, fmt.Sprintf("schema of %q: %s became %s", a[at].Name, short(string(a[at].Schema)), short(string(s))))
		}
		at++
	}
	return problems
}

func callsOf(x *scri.ChatRequest) []*scri.ToolCall { return calls(x.Messages) }

// callsIn returns the calls of an answer with one choice: what becomes of more
// is not for law 7.
func callsIn(r *scri.ChatResponse) []*scri.ToolCall {
	if len(r.Choices) != 1 {
		return nil
	}
	return calls(r.Choices[0].Output)
}

func calls(messages []scri.Message) (list []*scri.ToolCall) {
	for i := range messages {
		for j := range messages[i].Parts {
			if c := messages[i].Parts[j].Call; c != nil {
				list = append(list, c)
			}
		}
	}
	return list
}

// sameCalls compares arguments. In streams of lines an object can hold no line
// break, so that there its white space may go.
func sameCalls(a, b []*scri.ToolCall, lines bool) (problems []string) {
	if len(a) != len(b) {
		return nil // law 4 tells of lost ones
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return nil // and of moved ones
		}
	}
	for i := range a {
		before, after := a[i].Args.String(), b[i].Args.String()
		if before == after || before == "" && after == "{}" || lines && string(compact([]byte(before))) == after {
			continue
		}
		var wrapped map[string]string
		if !json.Valid([]byte(before)) || before[0] != '{' {
			if json.Unmarshal([]byte(after), &wrapped) == nil && len(wrapped) == 1 && wrapped["_invalid_json"] == before {
				continue
			}
		}
		problems = append(problems, fmt.Sprintf("arguments of call %d (%s): %s became %s", i, a[i].Name, short(before), short(after)))
	}
	return problems
}

// Pretty returns the body with white space that nobody may lose inside raw values.
func Pretty(body []byte) []byte {
	var b bytes.Buffer
	if json.Indent(&b, body, "", " ") != nil {
		return body
	}
	return b.Bytes()
}

// nearest are the kinds that formats made for providers have no word for, with
// the one that makes a client do the same.
var nearest = map[scri.ErrorKind]scri.ErrorKind{
	scri.ErrPolicy:      scri.ErrPermission,
	scri.ErrTruncated:   scri.ErrUnavailable,
	scri.ErrInternal:    scri.ErrUnavailable,
	scri.ErrCanceled:    scri.ErrUnavailable,
	scri.ErrUnavailable: scri.ErrOverloaded,
	scri.ErrUnsupported: scri.ErrInvalid,
}

// LawError tests this: an error told in the dialect is understood as the same kind, or as
// its nearest where the format has no word for it.
func LawError(to dialect.Dialect, e *scri.Error) []string {
	return guard(func() []string {
		status, body := to.EncodeError(nil, e)
		var problems []string
		if status < 400 {
			problems = append(problems, fmt.Sprintf("status %d for an error", status))
		}
		if !json.Valid(body) {
			problems = append(problems, "the body is no JSON: "+short(string(body)))
		}
		h := http.Header{"Content-Type": {"application/json"}}
		z := to.DecodeError(&dialect.Answer{Status: status, Header: h, Body: body, Target: target("")})
		switch {
		case z == nil:
			problems = append(problems, "it is read as no error")
		case z.Kind != e.Kind && nearest[e.Kind] != z.Kind:
			problems = append(problems, fmt.Sprintf("%s (%d) became %s: %s", e.Kind, status, z.Kind, short(string(body))))
		}
		return problems
	})
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
