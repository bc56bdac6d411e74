package wire_test

import (
	"strings"
	"testing"
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

func FuzzQuote(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\x00\u2028😀\xff")
	f.Add(`"\ud83d\ude00\ud83d\u0041\"\\"`)
	f.Add(`"` + strings.Repeat("Привет, ", 9) + `\t"`)
	f.Fuzz(func(t *testing.T, text string) { checkQuote(t, text) })
}
