package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func open(d dialect.Dialect, h http.Header, r io.Reader) scri.Stream {
	return d.DecodeStream(&dialect.Answer{Status: 200, Header: h, Stream: r, Target: target("")})
}

// ReadStream decodes a stream into its answer.
func ReadStream(d dialect.Dialect, h http.Header, stream []byte) (*scri.ChatResponse, error) {
	return scri.Collect(open(d, h, bytes.NewReader(stream)))
}

// WriteStream encodes the events of s, and the error that ends them.
func WriteStream(to dialect.Dialect, req *scri.ChatRequest, s scri.Stream) ([]byte, http.Header, []scri.Warning) {
	in := Incoming(to, streamPath(to), http.Header{}, nil)
	in.Req = req
	enc := to.EncodeStream(in)
	defer s.Close() //nolint:errcheck // it was read to its end
	var b []byte
	for {
		e, err := s.Next()
		switch {
		case err == nil:
			b = enc.Event(b, e)
			continue
		case isEOF(err):
			b = enc.End(b, nil)
		default:
			b = enc.End(b, scri.AsError(err))
		}
		return b, http.Header{"Content-Type": {enc.ContentType()}}, enc.Warnings()
	}
}

// Law1Stream tests this: a stream, decoded, put together, and told again in the dialect as
// a stream or as a whole, adds up to the same answer.
func Law1Stream(d dialect.Dialect, req *scri.ChatRequest, h http.Header, stream []byte) []string {
	return guard(func() []string {
		r, err := ReadStream(d, h, stream)
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		var problems []string
		again := func(how string, late []string, s scri.Stream) {
			b, head, warnings := WriteStream(d, req, s)
			warnings = slices.DeleteFunc(warnings, func(w scri.Warning) bool { return slices.Contains(late, w.Path) })
			z, err := ReadStream(d, head, b)
			if err != nil {
				problems = append(problems, how+": what was encoded is no stream: "+err.Error())
				return
			}
			for _, x := range DiffResponsesStrict(r, z) {
				if pardoned(&x) || slices.Contains(late, x.Path) {
					continue
				}
				if !slices.ContainsFunc(warnings, func(w scri.Warning) bool { return w.Code == scri.WarnAdded && explains(&w, &x) }) {
					problems = append(problems, how+" "+x.String())
				}
			}
			problems = append(problems, prefixed(how+" ", unfounded(demanded(warnings)))...)
		}
		again("replayed", nil, scri.Replay(r))
		again("piped", belated(open(d, h, bytes.NewReader(stream))), open(d, h, bytes.NewReader(stream)))
		return append(problems, asWhole(d, req, r)...)
	})
}

// pardoned reports whether a difference says nothing else.
func pardoned(x *Difference) bool {
	switch {
	case !x.Soft:
		return false
	case strings.HasSuffix(x.Path, "/call/id"): // made anew of what is known at the beginning, which may be more now
		return true
	default: // a text of nothing, opened for a delta of nothing that came without its block
		return x.Path == "" && x.core == "kind:text\n"
	}
}

// belated lists which of the fields that tell who answers a stream tells otherwise, or
// first, at its end. A format that tells them at its beginning alone has then told
// another thing, and can only warn of it. A stream that is put together first keeps them.
func belated(s scri.Stream) (paths []string) {
	defer s.Close() //nolint:errcheck // it was read to its end
	first := new(scri.ChatResponse)
	for {
		e, err := s.Next()
		switch {
		case err != nil:
			return paths
		case e.Kind == scri.EventStart && e.Head != nil:
			first = e.Head.Clone()
		case e.Kind == scri.EventDone && e.Head != nil:
			h := e.Head
			if h.ID != "" && h.ID != first.ID {
				paths = append(paths, "/id")
			}
			if h.Model != "" && h.Model != first.Model {
				paths = append(paths, "/model")
			}
			if !h.Created.IsZero() && !h.Created.Equal(first.Created) {
				paths = append(paths, "/created")
			}
		default:
		}
	}
}

// demanded leaves out what a format demands and the answer had not.
func demanded(warnings []scri.Warning) []scri.Warning {
	return slices.DeleteFunc(slices.Clone(warnings), func(w scri.Warning) bool { return w.Code == scri.WarnAdded })
}

// asWhole tells an answer that came as a stream as a whole one. What belongs to
// streams alone may be lost on the way, when a warning says so.
func asWhole(d dialect.Dialect, req *scri.ChatRequest, r *scri.ChatResponse) []string {
	in := Incoming(d, "", http.Header{}, nil)
	in.Req = req
	b, warnings := d.EncodeResponse(nil, in, r)
	z, err := d.DecodeResponse(&dialect.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: b, Target: target(r.Model)})
	if err != nil {
		return []string{"as a whole: what was encoded is no answer: " + err.Error()}
	}
	return prefixed("as a whole ", Match(DiffResponses(r, z), warnings))
}

// Law4Stream tests this: what differs after a stream went through the dialect, event by
// event or put together and replayed, is what the warnings say.
func Law4Stream(from, to dialect.Dialect, req *scri.ChatRequest, h http.Header, stream []byte) []string {
	return guard(func() []string {
		r, failed := ReadStream(from, h, stream)
		if failed != nil {
			return brokenStream(from, to, req, h, stream, failed)
		}
		problems := through("replayed ", to, req, r, scri.Replay(r))
		if gaps(open(from, h, bytes.NewReader(stream))) {
			return problems // it tells by other numbers what it tells of, which cannot be compared
		}
		return append(problems, through("piped ", to, req, r, open(from, h, bytes.NewReader(stream)))...)
	})
}

// gaps reports whether a stream leaves out the number of an answer before its last, say
// answers 1 alone. Put together they are counted anew, so that the warnings of a stream
// that is handed on event by event, and what formats of one answer take, are of others.
func gaps(s scri.Stream) bool {
	defer s.Close() //nolint:errcheck // it was read to its end
	spoke := map[int]bool{}
	last := 0
	for {
		e, err := s.Next()
		if err != nil {
			break
		}
		switch e.Kind {
		case scri.EventMessage, scri.EventPart, scri.EventDelta, scri.EventPartEnd, scri.EventFinish:
			spoke[e.Choice] = true
			last = max(last, e.Choice)
		default:
		}
	}
	return len(spoke) > 0 && len(spoke) <= last
}

// Law4Replay does so for an answer that never was a stream.
func Law4Replay(to dialect.Dialect, req *scri.ChatRequest, r *scri.ChatResponse) []string {
	return guard(func() []string { return through("", to, req, r, scri.Replay(r)) })
}

func through(how string, to dialect.Dialect, req *scri.ChatRequest, r *scri.ChatResponse, s scri.Stream) []string {
	b, head, warnings := WriteStream(to, req, s)
	warnings = slices.DeleteFunc(warnings, func(w scri.Warning) bool { return w.Path == "/id" || w.Path == "/created" }) // for law 1, which compares them
	z, err := scri.Collect(to.DecodeStream(&dialect.Answer{Status: 200, Header: head, Stream: bytes.NewReader(b), Target: asked(r)}))
	if err != nil {
		return []string{how + "what was encoded is no stream: " + err.Error()}
	}
	return append(prefixed(how, Match(DiffResponses(r, z), warnings)), prefixed(how, sameCalls(callsIn(r), callsIn(z), true))...)
}

// brokenStream: an error inside a stream is the same error in another dialect's.
func brokenStream(from, to dialect.Dialect, req *scri.ChatRequest, h http.Header, stream []byte, failed error) []string {
	b, head, _ := WriteStream(to, req, open(from, h, bytes.NewReader(stream)))
	_, err := ReadStream(to, head, b)
	want, got := scri.AsError(failed), scri.AsError(err)
	switch {
	case err == nil:
		return []string{"an error inside the stream became a clean end"}
	case want.Kind != got.Kind && nearest[want.Kind] != got.Kind:
		return []string{fmt.Sprintf("an error inside the stream of kind %s became %s: %s", want.Kind, got.Kind, short(got.Message))}
	}
	return nil
}

// events reads a stream and shows each event, and how it ended.
func events(s scri.Stream) (list []string, end error) {
	defer s.Close() //nolint:errcheck // it was read to its end
	for {
		e, err := s.Next()
		if err != nil {
			return list, err
		}
		j, err := json.Marshal(e)
		if err != nil {
			j = []byte(err.Error())
		}
		list = append(list, string(j))
	}
}

// cutter reads at most the given number of bytes at once.
type cutter struct {
	r    *bytes.Reader
	cuts []int
}

func (c *cutter) Read(p []byte) (int, error) {
	if len(c.cuts) > 0 {
		n := c.cuts[0]
		if n > len(p) {
			c.cuts[0] -= len(p)
			return c.r.Read(p)
		}
		c.cuts = c.cuts[1:]
		if n > 0 {
			p = p[:n]
		}
	}
	return c.r.Read(p)
}

// Law3 tests this: a stream decodes to the same events however its bytes are cut.
func Law3(d dialect.Dialect, h http.Header, stream []byte, chunks []int) []string {
	return guard(func() []string {
		want, wantErr := events(open(d, h, bytes.NewReader(stream)))
		var problems []string
		check := func(how string, r io.Reader) {
			got, err := events(open(d, h, r))
			if msg := sameEvents(want, got); msg != "" {
				problems = append(problems, how+": "+msg)
			}
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				problems = append(problems, fmt.Sprintf("%s: ends with %v, not %v", how, err, wantErr))
			}
		}
		check("byte by byte", iotest.OneByteReader(bytes.NewReader(stream)))
		check("data with the end", iotest.DataErrReader(bytes.NewReader(stream)))
		if len(chunks) > 0 {
			check("as recorded", &cutter{bytes.NewReader(stream), append([]int(nil), chunks...)})
		}
		rnd := rand.New(rand.NewPCG(uint64(len(stream)), 1))
		for range 8 {
			if len(stream) > 1 {
				n := 1 + rnd.IntN(len(stream)-1)
				check(fmt.Sprintf("in two at %d", n), &cutter{bytes.NewReader(stream), []int{n}})
			}
		}
		return problems
	})
}

func sameEvents(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("event %d: %s became %s", i, short(want[i]), short(got[i]))
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d events, not %d", len(got), len(want))
	}
	return ""
}

// Law5 tests this: a stream that is cut before its finish is truncated, and what came of
// it holds no signature of an unfinished part. Of what is cut before its first event, while
// it holds another text, nobody can tell that it was to become a stream at all.
func Law5(d dialect.Dialect, h http.Header, stream []byte) []string {
	return guard(func() []string {
		rnd := rand.New(rand.NewPCG(uint64(len(stream)), 5))
		cuts := []int{0, len(stream) / 2, len(stream) - 1}
		for range 12 {
			cuts = append(cuts, rnd.IntN(len(stream)))
		}
		for i := range len(stream) - 1 { // the ends of events
			if stream[i] == '\n' && (stream[i+1] == '\n' || stream[i+1] == '{') && rnd.IntN(1+len(stream)/4096) == 0 {
				cuts = append(cuts, i+2)
			}
		}
		allowed := scri.ErrTruncated
		if _, err := ReadStream(d, h, stream); err != nil {
			allowed = scri.AsError(err).Kind // it breaks off by itself
		}
		var problems []string
		for _, n := range cuts {
			if msg := cutAt(d, h, stream[:n], allowed); msg != "" {
				problems = append(problems, fmt.Sprintf("cut at %d of %d: %s", n, len(stream), msg))
			}
			if len(problems) > 3 {
				break
			}
		}
		return problems
	})
}

// unlike reports whether a text holds something that is no field of an event stream
// and no JSON before its first event is whole.
func unlike(stream []byte) bool {
	other, begun, spoilt := false, false, false
	for line := range bytes.Lines(stream) {
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			if begun {
				return false
			}
			spoilt = false
		}
		known := len(text) == 0
		for i, field := range []string{"data:", "{", "[", "event:", "id:", "retry:", ":"} { // of which three say something
			half := len(text) == len(line) && strings.HasPrefix(field, string(text))
			if known = known || half || bytes.HasPrefix(text, []byte(field)); known {
				if data, ok := bytes.CutPrefix(text, []byte("data:")); ok && (spoilt || !hopeful(data)) {
					known, spoilt = false, true // an event, but none of a dialect's, however its data goes on
					break
				}
				begun = begun || i < 3 && len(text) > 0
				break
			}
		}
		other = other || !known
	}
	return other
}

// hopeful reports whether data may be the beginning of an object or a list.
func hopeful(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) == 0 || data[0] == '{' || data[0] == '['
}

func cutAt(d dialect.Dialect, h http.Header, stream []byte, allowed scri.ErrorKind) string {
	finished, ended := map[int]bool{}, map[[3]int]bool{}
	spoke := map[int]bool{}
	s := scri.Tee(open(d, h, bytes.NewReader(stream)), func(e *scri.StreamEvent, err error) {
		if err != nil {
			return
		}
		switch e.Kind {
		case scri.EventMessage, scri.EventPart, scri.EventDelta:
			spoke[e.Choice] = true
		case scri.EventFinish:
			finished[e.Choice] = true
		case scri.EventPartEnd:
			ended[[3]int{e.Choice, e.Message, e.Part}] = true
		default:
		}
	})
	r, err := scri.Collect(s)
	complete := len(finished) > 0
	for c := range spoke {
		complete = complete && finished[c]
	}
	if !complete {
		var e *scri.Error
		switch {
		case err == nil:
			return "a clean end without a finish"
		case errors.As(err, &e) && e.Kind == scri.ErrUnavailable && unlike(stream):
		case !errors.As(err, &e) || e.Kind != scri.ErrTruncated && e.Kind != allowed:
			return "not truncated: " + err.Error()
		}
	}
	if r == nil {
		return ""
	}
	for i, c := range r.Choices {
		for j, m := range c.Output {
			for k, p := range m.Parts {
				if p.Signature != nil && !ended[[3]int{i, j, k}] && !finished[i] && !p.Signature.Redacted {
					return fmt.Sprintf("the unfinished part %d has a signature", k)
				}
			}
		}
	}
	return ""
}
