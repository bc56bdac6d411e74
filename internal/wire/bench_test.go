package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// body returns a chat request of about size bytes as coding agents send them:
// a few tools and messages of 2 KB text each.
func body(size int, text string) []byte {
	var w wire.Writer
	w.BeginObject()
	w.Key("model")
	w.Str("some-model-1")
	w.Key("stream")
	w.Bool(true)
	w.Key("max_tokens")
	w.Int(8192)
	w.Key("temperature")
	w.Float(0.2)
	w.Key("messages")
	w.BeginArray()
	for i := 0; len(w.B) < size-200; i++ {
		w.BeginObject()
		w.Key("role")
		w.Str([]string{"user", "assistant"}[i%2])
		w.Key("content")
		w.BeginArray()
		w.BeginObject()
		w.Key("type")
		w.Str("text")
		w.Key("text")
		n := min(2048, size-200-len(w.B))
		w.Str(strings.Repeat(text, n/len(text)+1)[:max(n, 1)])
		w.EndObject()
		w.EndArray()
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	return w.B
}

const (
	proseText = "The quick brown fox jumps over the lazy dog; it says nothing and goes its way. "
	codeText  = "\tif err != nil {\n\t\treturn fmt.Errorf(\"read %q: %w\", name, err)\n\t}\n\tfor i := range n {\n\t\tlog.Println(\"line\", i)\n\t}\n"
	pathText  = "{\"path\": \"C:\\\\Users\\\\me\\\\notes.txt\", \"re\": \"^\\\\d+\\\\.\\\\w*$\"}\n"
	ruText    = "Съешь же ещё этих мягких французских булок, да выпей чаю. "
)

// decode walks a chat request as a dialect does.
func decode(s *wire.Scanner) (n int) {
	for name := range s.Members() {
		switch name {
		case "model":
			n += len(s.Unquoted())
		case "stream":
			s.Bool()
		case "max_tokens":
			s.Int()
		case "messages":
			for range s.Elements() {
				n += decodeMessage(s)
			}
		default:
			n += len(s.Member())
		}
	}
	return n
}

func decodeMessage(s *wire.Scanner) (n int) {
	for name := range s.Members() {
		switch name {
		case "role":
			n += len(s.Unquoted())
		case "content":
			if s.Kind() == wire.String {
				n += len(s.Str())
				continue
			}
			for range s.Elements() {
				if len(s.Peek("type")) == 0 {
					s.Fail("part without type")
				}
				for name := range s.Members() {
					switch name {
					case "type", "text":
						n += len(s.Str())
					default:
						n += len(s.Member())
					}
				}
			}
		}
	}
	return n
}

func benchScan(b *testing.B, size int, text string) {
	doc := body(size, text)
	s := wire.NewScanner(doc)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(doc)
		decode(s)
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan1K(b *testing.B)         { benchScan(b, 1<<10, proseText) }
func BenchmarkScan100K(b *testing.B)       { benchScan(b, 100<<10, proseText) }
func BenchmarkScan1M(b *testing.B)         { benchScan(b, 1<<20, proseText) }
func BenchmarkScan1KCode(b *testing.B)     { benchScan(b, 1<<10, codeText) }
func BenchmarkScan100KCode(b *testing.B)   { benchScan(b, 100<<10, codeText) }
func BenchmarkScan1MCode(b *testing.B)     { benchScan(b, 1<<20, codeText) }
func BenchmarkScan1MEscaped(b *testing.B)  { benchScan(b, 1<<20, pathText) }
func BenchmarkScan1MCyrillic(b *testing.B) { benchScan(b, 1<<20, ruText) }

// BenchmarkScan1MASCII is what clients send that escape whatever is not ASCII.
func BenchmarkScan1MASCII(b *testing.B) {
	var doc []byte
	for _, r := range string(body(1<<19, ruText)) {
		if r < 0x80 {
			doc = append(doc, byte(r))
		} else {
			doc = fmt.Appendf(doc, `\u%04x`, r)
		}
	}
	s := wire.NewScanner(doc)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		s.Reset(doc)
		decode(s)
		if s.End() != nil {
			b.Fatal(s.Err())
		}
	}
}

// BenchmarkScan1MIndented has control characters outside its strings.
func BenchmarkScan1MIndented(b *testing.B) {
	doc := append([]byte("{\n"), body(1<<20, proseText)[1:]...)
	s := wire.NewScanner(doc)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		s.Reset(doc)
		decode(s)
	}
}

// BenchmarkFloor1M is what no scan can be faster than by much: one search for
// quotes and one check of UTF-8 over the same bytes.
func BenchmarkFloor1M(b *testing.B) {
	doc := body(1<<20, proseText)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		for rest := doc; ; {
			i := bytes.IndexByte(rest, '"')
			if i < 0 {
				break
			}
			rest = rest[i+1:]
		}
		if !utf8.Valid(doc) {
			b.Fatal("not UTF-8")
		}
	}
}

func BenchmarkValid1MCode(b *testing.B) {
	doc := body(1<<20, codeText)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := wire.Valid(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// chunk is a usual event of a chat stream.
const chunk = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m-1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}`

func BenchmarkScanChunk(b *testing.B) {
	s := wire.NewScanner(nil)
	doc := []byte(chunk)
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(doc)
		n := 0
		for name := range s.Members() {
			if name != "choices" {
				n += len(s.Raw())
				continue
			}
			for range s.Elements() {
				for name := range s.Members() {
					if name == "delta" {
						for range s.Members() {
							n += len(s.Unquoted())
						}
					}
				}
			}
		}
		if s.End() != nil || n == 0 {
			b.Fatal(s.Err())
		}
	}
}

// again is a stream that never ends.
type again struct {
	data []byte
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], a.data[a.at:])
		n += c
		a.at = (a.at + c) % len(a.data)
	}
	return n, nil
}

func benchFrames(b *testing.B, frame []byte, r func(io.Reader) wire.FrameReader) {
	f := r(&again{data: frame})
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSSEBurst(b *testing.B) {
	benchFrames(b, wire.AppendSSE(nil, "", []byte(chunk)), func(r io.Reader) wire.FrameReader { return wire.NewSSE(r, 0) })
}

func BenchmarkSSE100K(b *testing.B) {
	benchFrames(b, wire.AppendSSE(nil, "", body(100<<10, codeText)), func(r io.Reader) wire.FrameReader { return wire.NewSSE(r, 0) })
}

func BenchmarkNDJSONBurst(b *testing.B) {
	benchFrames(b, []byte(chunk+"\n"), func(r io.Reader) wire.FrameReader { return wire.NewNDJSON(r, 0) })
}

func BenchmarkAppendQuote(b *testing.B) {
	for name, text := range map[string]string{"prose": proseText, "code": codeText, "cyrillic": ruText} {
		b.Run(name, func(b *testing.B) {
			s := strings.Repeat(text, 1<<20/len(text))
			buf := make([]byte, 0, 2<<20)
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				buf = wire.AppendQuote(buf[:0], s)
			}
		})
		b.Run(fmt.Sprint(name, "/back"), func(b *testing.B) {
			q := wire.AppendQuote(nil, strings.Repeat(text, 1<<20/len(text)))
			buf := make([]byte, 0, 2<<20)
			b.SetBytes(int64(len(q)))
			for b.Loop() {
				buf = wire.AppendUnquote(buf[:0], q)
			}
		})
	}
}
