package wire_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/wire"
)

func FuzzScanner(f *testing.F) {
	for _, doc := range []string{
		chunk, `{"a":[1,-2.5e+3,null,true,{"b":"\u00e9\ud83d\ude00\n"}],"a":{}}`, " [\n\"\\\\\\\"\" ]\t", `"\ud800"`, `{"":"","\u0000":0}`,
		"\"Съешь же ещё этих мягких французских булок\"", strings.Repeat("[", 129), `{"a" 1}`, `[01]`, `"` + strings.Repeat(`x\n`, 40) + `"`,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"r":0,"a":1}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { checkDocument(t, doc) })
}

func FuzzSSE(f *testing.F) {
	f.Add(": hi\r\n\r\nevent: a\rdata: 1\ndata: 2\r\nid: 7\nretry: 10\n\n{\ndata: 3", byte(3), uint16(0))
	f.Add("\xef\xbb\xbfdata\n\ndata: \r\r\n", byte(1), uint16(20))
	f.Add("data: "+strings.Repeat("ю", 3000)+"\n\n", byte(200), uint16(5000))
	f.Fuzz(func(t *testing.T, in string, size byte, limit uint16) {
		checkSSE(t, in, []int{int(size), 1, int(size) * 7}, 0)
		checkSSE(t, in, []int{int(size), 1, int(size) * 7}, int(limit))
		checkAppendSSE(t, []byte(in))
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add("{}\n\r\n [] \r\n\"x\"", byte(3), uint16(0))
	f.Add("\xef\xbb\xbf1\n\n", byte(1), uint16(2))
	f.Fuzz(func(t *testing.T, in string, size byte, limit uint16) {
		checkNDJSON(t, in, []int{int(size), 1, int(size) * 7}, 0)
		checkNDJSON(t, in, []int{int(size), 1, int(size) * 7}, int(limit))
	})
}

// The elements of a list are the same however it is cut, none is empty, and there
// is an end to them.
func FuzzJSONArray(f *testing.F) {
	f.Add(`[{"a":"]}"},[1],2 ,"x"]`, byte(3))
	f.Add(" [{}]]}, {", byte(1))
	f.Fuzz(func(t *testing.T, in string, size byte) {
		read := func(r io.Reader) (list []string) {
			a := wire.NewJSONArray(r, 0)
			for {
				e, err := a.Next()
				if err != nil {
					return append(list, err.Error())
				}
				if len(e.Data) == 0 || len(list) > len(in) {
					t.Fatalf("%q: element %d is %q", in, len(list), e.Data)
				}
				list = append(list, string(e.Data))
			}
		}
		whole, cut := read(strings.NewReader(in)), read(&pieces{in, int(size)})
		if !slices.Equal(whole, cut) {
			t.Fatalf("%q: %q, cut %q", in, whole, cut)
		}
	})
}

// pieces gives a text some bytes at a time.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(max(p.size, 1), len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

func FuzzQuote(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\x00\u2028😀\xff")
	f.Add(`"\ud83d\ude00\ud83d\u0041\"\\"`)
	f.Add(`"` + strings.Repeat("Привет, ", 9) + `\t"`)
	f.Fuzz(func(t *testing.T, text string) { checkQuote(t, text) })
}
