package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// both are a Handler and slog's own, which are asked for the same.
type both struct {
	mine, slogs       slog.Handler
	minesOut, slogOut bytes.Buffer
}

func newBoth() *both {
	b, opt := new(both), &slog.HandlerOptions{Level: slog.LevelDebug}
	b.mine, b.slogs = New(&b.minesOut, slog.NewJSONHandler(&b.minesOut, opt)), slog.NewJSONHandler(&b.slogOut, opt)
	return b
}

// same has a record written twice, and by Log, and compares.
func (b *both) same(t *testing.T, r slog.Record) {
	t.Helper()
	b.minesOut.Reset()
	b.slogOut.Reset()
	err1, err2 := b.mine.Handle(t.Context(), r.Clone()), b.slogs.Handle(t.Context(), r)
	if (err1 == nil) != (err2 == nil) || b.minesOut.String() != b.slogOut.String() {
		t.Errorf("got  %v %swant %v %s", err1, b.minesOut.String(), err2, b.slogOut.String())
	}
}

// requestLine is what a request logs.
func requestLine() []slog.Attr {
	return []slog.Attr{
		slog.String("request_id", "req_4t7h0qv2mznk9d3xw1ya"), slog.String("op", "chat"), slog.String("ingress", "openai"), slog.Int("status", 200),
		slog.String("asked", "llama3.2:3b"), slog.String("provider", "ollama"), slog.Float64("first_ms", 412.25), slog.Float64("took_ms", 2093.7),
		slog.Int64("input_tokens", 31), slog.Uint64("more", 1<<63), slog.Bool("stream", true), slog.Duration("left", -time.Second),
	}
}

// noPlace fails the test when a record goes the usual way.
type noPlace struct {
	slog.Handler
	t *testing.T
}

func (n noPlace) Handle(_ context.Context, r slog.Record) error {
	n.t.Errorf("the record %q is plain and went the usual way", r.Message)
	return nil
}

func TestPlainRecordsAreWrittenHere(t *testing.T) {
	var out, want bytes.Buffer
	r := slog.NewRecord(time.Date(2026, 11, 29, 1, 2, 3, 4_000_000, time.UTC), slog.LevelInfo, "request", 0)
	r.AddAttrs(requestLine()...)
	if err := New(&out, noPlace{t: t}).Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _ = slog.NewJSONHandler(&want, nil).Handle(t.Context(), r); out.String() != want.String() {
		t.Errorf("got  %swant %s", out.String(), want.String())
	}
}

// strange are strings that the line's own writing must not be deceived by.
func strange() []string {
	return []string{
		"", "a", "llama3.2:3b", `"`, `""`, `\`, `\"`, `","x":"`, "\x00", "\x1f", " ", "\x7f", "\x80", "\xff", "\b\f\n\r\t", "<&>", "привет", "𝄞", "\u2028\u2029",
		"\xed\xa0\x80", strings.Repeat("a", 7) + "\n", strings.Repeat("b", 8) + "é", strings.Repeat("long ", 100),
	}
}

func TestStrings(t *testing.T) {
	b := newBoth()
	for _, s := range strange() {
		for range 9 { // so that it lies at each place of a word
			s = "x" + s
			r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
			r.AddAttrs(slog.String("k", s))
			b.same(t, r)
			r = slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, s, 0)
			r.AddAttrs(slog.Int(s, 1))
			b.same(t, r)
		}
	}
	for c := range 256 {
		r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
		r.AddAttrs(slog.String("k", "a"+string([]byte{byte(c)})+"b"))
		b.same(t, r)
	}
}

// secret has another value than it is logged with; failing has none.
type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("***") }

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

type panicking struct{ *int }

func (p panicking) MarshalJSON() ([]byte, error) { panic(*p.int) }

func TestOddRecords(t *testing.T) {
	b := newBoth()
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0), time.Unix(0, 1).UTC(), time.Unix(0, 120_000_000), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Now(), time.Now().In(time.FixedZone("", -12345)), time.Date(2026, 1, 1, 0, 0, 0, 5, time.FixedZone(`"`, 5*3600+1800)),
	} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelInfo + 1, slog.LevelWarn - 1, slog.LevelWarn, slog.LevelError, 100, -100} {
			r := slog.NewRecord(at, level, "m", 0)
			b.same(t, r)
			r.AddAttrs(requestLine()...)
			b.same(t, r)
		}
	}
	for _, a := range []slog.Attr{
		{},
		slog.Any("", nil), slog.String("", ""), slog.Int("", 0), slog.Group("g"), slog.Group("g", slog.Group("h")), slog.Group("", slog.Int("a", 1)),
		slog.Group("g", "a", 1, "b", slog.GroupValue(slog.String("c", "d"))), slog.Any("e", errors.New(`an "error"`)), slog.Any("p", secret("x")),
		slog.Any("f", failing{}), slog.Any("f", (*failing)(nil)), slog.Any("f", panicking{}), slog.Any("m", map[string]any{"z": 1, "a": []int{1}}), slog.Any("c", make(chan int)),
		slog.Any("s", &slog.Source{File: "a.go", Line: 3}), slog.Any("s", &slog.Source{}), slog.Any("j", json.RawMessage(`{"a": "<"}`)), slog.Any("k", slog.KindInt64), slog.Any("l", slog.LevelWarn),
		slog.Time("t", time.Unix(1, 5).UTC()), slog.Time("t", time.Time{}), slog.Any("d", time.Minute), slog.Any("i", int8(3)), slog.Any("f32", float32(0.1)), slog.Any("nil", nil),
	} {
		r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
		r.AddAttrs(slog.Int("before", 1), a, slog.Int("behind", 2))
		b.same(t, r)
	}
}

func TestNumbers(t *testing.T) {
	b := newBoth()
	floats := []float64{
		0, math.Copysign(0, -1), 1, 0.1, 412.25, 2093.7, 1e-6, 9.99e-7, 1e-7, -1e-9, 1e20, 1e21, math.Nextafter(1e21, 0), -1e21, math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.Inf(1), math.Inf(-1), math.NaN(), 1 << 53, 123456789.123, 5e-324,
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		floats = append(floats, math.Float64frombits(random.Uint64()), math.Round(random.ExpFloat64()*1e6)/1000)
	}
	for _, f := range floats {
		r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
		r.AddAttrs(slog.Float64("f", f), slog.Float64("-f", -f), slog.Int64("i", int64(math.Float64bits(f))), slog.Uint64("u", math.Float64bits(f)))
		b.same(t, r)
	}
}

// Times within a second, and behind it, in zones by turns.
func TestTimes(t *testing.T) {
	b, random := newBoth(), rand.New(rand.NewPCG(3, 4))
	zones := []*time.Location{time.UTC, time.Local, time.FixedZone("a", 3*3600), time.FixedZone("b", -9*3600-1800), time.FixedZone("c", 59)}
	at := time.Date(2026, 12, 31, 23, 59, 58, 0, time.UTC)
	for range 2000 {
		if random.IntN(4) == 0 {
			at = at.Add(time.Duration(random.Int64N(int64(2 * time.Second))))
		}
		whole := []time.Duration{1, 1000, time.Millisecond, 100 * time.Millisecond, time.Second}[random.IntN(5)]
		b.same(t, slog.NewRecord(at.Truncate(whole).In(zones[random.IntN(len(zones))]), slog.LevelInfo, "m", 0))
	}
	b.same(t, slog.NewRecord(time.Unix(-1, 999), slog.LevelInfo, "m", 0))
}

// TestWhatIsAdded: attributes and groups of a handler are before those of a record.
func TestWhatIsAdded(t *testing.T) {
	b := newBoth()
	add := []func(h slog.Handler) slog.Handler{
		func(h slog.Handler) slog.Handler { return h.WithAttrs(requestLine()[:3]) },
		func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
		func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.Any("e", errors.New("x"))}) },
		func(h slog.Handler) slog.Handler { return h.WithGroup("") },
	}
	r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
	r.AddAttrs(requestLine()...)
	for i := range len(add) * len(add) {
		n := newBoth()
		for _, j := range []int{i % len(add), i / len(add)} {
			n.mine, n.slogs = add[j](n.mine), add[j](n.slogs)
		}
		n.same(t, r)
		n.same(t, slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0))
	}
	b.same(t, r)
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where the time stands still
		b := newBoth()
		mine, slogs := slog.New(b.mine), slog.New(b.slogs)
		for _, level := range []slog.Level{slog.LevelDebug - 1, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
			for _, list := range [][]slog.Attr{nil, requestLine(), append(requestLine(), slog.String("path", "/a\nb"), slog.Any("e", io.EOF))} {
				Log(t.Context(), mine, level, "request", list...)
				slogs.LogAttrs(t.Context(), level, "request", list...)
				Log(t.Context(), mine.With("a", 1).WithGroup("g"), level, "request", list...)
				slogs.With("a", 1).WithGroup("g").LogAttrs(t.Context(), level, "request", list...)
			}
		}
		if b.minesOut.String() != b.slogOut.String() || b.slogOut.Len() == 0 {
			t.Errorf("got\n%swant\n%s", b.minesOut.String(), b.slogOut.String())
		}
	})
}

// whole counts the lines that arrive whole.
type whole struct{ n atomic.Int64 }

func (w *whole) Write(p []byte) (int, error) {
	if json.Valid(p) && bytes.Count(p, []byte("\n")) == 1 && p[len(p)-1] == '\n' {
		w.n.Add(1)
	}
	return len(p), nil
}

func TestManyAtOnce(t *testing.T) {
	var w whole
	log := slog.New(New(&w, slog.NewJSONHandler(&w, nil)))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				Log(t.Context(), log, slog.LevelInfo, "request", slog.Int("i", i), slog.String("s", strings.Repeat("long ", i*100)))
				log.InfoContext(t.Context(), "other", "i", i)
			}
		})
	}
	all.Wait()
	if n := w.n.Load(); n != 1600 {
		t.Errorf("%d lines", n)
	}
}

func BenchmarkLine(b *testing.B) {
	slogs := slog.NewJSONHandler(io.Discard, nil) //nolint:sloglint // what is measured is the writing
	for _, one := range []struct {
		name string
		h    slog.Handler
	}{{"here", New(io.Discard, slogs)}, {"slog", slogs}} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			log, list := slog.New(one.h), requestLine()
			for b.Loop() {
				Log(b.Context(), log, slog.LevelInfo, "request", list...)
			}
		})
	}
}
