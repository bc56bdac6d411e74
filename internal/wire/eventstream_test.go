package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// frameOf builds a frame of any headers and payload.
func frameOf(headers, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// allHeaders holds one header of each type.
const allHeaders = "\x01a\x00" + "\x01b\x01" + "\x01c\x02\x7f" + "\x01d\x03\x01\x02" + "\x01e\x04\x00\x00\x00\x05" +
	"\x01f\x05\x00\x00\x00\x00\x00\x00\x00\x06" + "\x01g\x06\x00\x02hi" + "\x01h\x07\x00\x03you" +
	"\x01i\x08\x00\x00\x01\x8c\xf2\x51\x20\x00" + "\x01j\x09" + "0123456789abcdef"

func TestEventStreamReadsWhatWasWritten(t *testing.T) {
	var b []byte
	b = wire.AppendEvent(b, "event", "messageStart", []byte(`{"role":"assistant"}`))
	b = append(b, frameOf(allHeaders, "raw")...)
	b = wire.AppendEvent(b, "exception", "throttlingException", []byte(`{"message":"`+strings.Repeat("slow ", 1000)+`"}`))
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b)), "with its end": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		t.Run(name, func(t *testing.T) {
			s := wire.NewEventStream(r, 0)
			f, err := s.Next()
			if err != nil || string(f.Type) != "event" || string(f.Name) != "messageStart" || string(f.Payload) != `{"role":"assistant"}` {
				t.Fatalf("%v, %+v", err, f)
			}
			f, err = s.Next()
			if err != nil || string(f.Payload) != "raw" {
				t.Fatalf("%v, %+v", err, f)
			}
			n := 0
			f.Headers(func(name []byte, typ byte, value []byte) {
				if int(typ) != n || string(name) != string(rune('a'+n)) {
					t.Errorf("header %d is %s of type %d", n, name, typ)
				}
				if typ == 8 && wire.HeaderTime(value).UTC().Year() != 2024 {
					t.Errorf("time %s", wire.HeaderTime(value))
				}
				n++
			})
			if n != 10 {
				t.Errorf("%d headers", n)
			}
			f, err = s.Next()
			if err != nil || string(f.Type) != "exception" || string(f.Name) != "throttlingException" || len(f.Payload) < 5000 {
				t.Fatalf("%v, %+v", err, f)
			}
			if _, err = s.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

func TestEventStreamRefusesDamage(t *testing.T) {
	good := wire.AppendEvent(nil, "event", "x", []byte(`{"a":1}`))
	flip := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	for name, b := range map[string][]byte{
		"length": flip(3), "length of the headers": flip(7), "checksum of the prelude": flip(8), "header": flip(14),
		"payload": flip(len(good) - 6), "checksum": flip(len(good) - 1), "text": []byte("HTTP/1.1 200 OK\r\n\r\nhello"),
		"header without a name": frameOf("\x00\x00", ""), "header of no type": frameOf("\x01a\x0b", ""), "header cut off": frameOf("\x01a\x07\x00\x09x", ""),
	} {
		var corrupt *wire.CorruptError
		if _, err := wire.NewEventStream(bytes.NewReader(b), 0).Next(); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := wire.NewEventStream(bytes.NewReader(good[:20]), 0).Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
	var large *wire.TooLargeError
	if _, err := wire.NewEventStream(bytes.NewReader(good), 64).Next(); !errors.As(err, &large) {
		t.Errorf("too large: %v", err)
	}
}

// What a real server sent is read as the recorder has read it.
func TestEventStreamRecorded(t *testing.T) {
	dir := os.Getenv("ARATTA_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "wire", "bedrock-converse", "*", "*-stream-*.json"))
	if len(files) == 0 {
		t.Skip("the recorded traffic is absent (set ARATTA_SHARED)")
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var x struct {
			Response struct {
				Base64 []byte `json:"eventstream_base64"`
				Events []struct {
					Headers map[string]string `json:"headers"`
				} `json:"events"`
			} `json:"response"`
		}
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Fatal(err)
		}
		s := wire.NewEventStream(bytes.NewReader(x.Response.Base64), 0)
		for i, e := range x.Response.Events {
			f, err := s.Next()
			if err != nil || string(f.Name) != e.Headers[":event-type"] || !json.Valid(f.Payload) {
				t.Fatalf("%s: frame %d: %v", file, i, err)
			}
			if again := wire.AppendEvent(nil, string(f.Type), string(f.Name), f.Payload); !bytes.Contains(x.Response.Base64, again) {
				t.Errorf("%s: frame %d is written otherwise", file, i)
			}
		}
		if _, err := s.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: ends with %v", file, err)
		}
	}
}

func TestEventStreamAllocatesNothing(t *testing.T) {
	one := wire.AppendEvent(nil, "event", "contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":"hello"}}`))
	s := wire.NewEventStream(&endless{one: one}, 0)
	for range 100 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = s.Next() }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// endless gives the same bytes again and again.
type endless struct {
	one []byte
	at  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.one[e.at:])
	e.at = (e.at + n) % len(e.one)
	return n, nil
}

func FuzzEventStream(f *testing.F) {
	f.Add(wire.AppendEvent(nil, "event", "messageStart", []byte(`{}`)))
	f.Add(frameOf(allHeaders, "raw"))
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte("garbage"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(r io.Reader) (list []string, end error) {
			s := wire.NewEventStream(r, 1<<16)
			for {
				f, err := s.Next()
				if err != nil {
					return list, err
				}
				f.Headers(func(name []byte, _ byte, value []byte) { list = append(list, string(name)+"="+string(value)) })
				list = append(list, string(f.Name)+" "+string(f.Payload))
			}
		}
		want, e := read(bytes.NewReader(b))
		got, g := read(iotest.OneByteReader(bytes.NewReader(b)))
		if strings.Join(want, "\n") != strings.Join(got, "\n") || e.Error() != g.Error() {
			t.Errorf("%q and %v, byte by byte %q and %v", want, e, got, g)
		}
	})
}
