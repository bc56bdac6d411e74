package scri

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// fill puts texts and bytes on the heap wherever v can hold some.
func fill(v reflect.Value, depth map[reflect.Type]int) {
	switch v.Interface().(type) {
	case Text:
		v.Set(reflect.ValueOf(PlainText([]byte("some text"))))
		return
	case RawJSON:
		v.Set(reflect.ValueOf(RawJSON(`{"a":"b"}`)))
		return
	case time.Time, *Lineage, *Error, []Warning:
		return // never changed once they are in an event
	default:
	}
	if depth[v.Type()] == 2 {
		return
	}
	depth[v.Type()]++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, depth)
		}
	case reflect.String:
		v.SetString(string([]byte("some word")))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{string([]byte("a key")): string([]byte("a value"))}))
	case reflect.Int64, reflect.Int:
		v.SetInt(7)
	default:
	}
	depth[v.Type()]--
}

// memory collects where the bytes, lists and structs under v are.
func memory(v reflect.Value, at map[unsafe.Pointer]string, path string) {
	switch x := v.Interface().(type) {
	case Text:
		if !x.IsZero() {
			at[unsafe.Pointer(unsafe.StringData(x.s))] = path
		}
		return
	case time.Time:
		return
	default:
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			at[v.UnsafePointer()] = path
			memory(v.Elem(), at, path)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			at[v.UnsafePointer()] = path
		}
		for i := range v.Len() {
			memory(v.Index(i), at, path+"[]")
		}
	case reflect.String:
		if v.Len() > 0 {
			at[unsafe.Pointer(unsafe.StringData(v.String()))] = path
		}
	case reflect.Map:
		for k, e := range v.Seq2() {
			memory(k, at, path+" key")
			memory(e, at, path+"["+k.String()+"]")
		}
	case reflect.Struct:
		for i := range v.NumField() {
			memory(v.Field(i), at, path+"."+v.Type().Field(i).Name)
		}
	default:
	}
}

func TestCloneSharesNothing(t *testing.T) {
	// The plain strings of events never lie in memory that is used again.
	sharesNothing(t, new(StreamEvent), (*StreamEvent).Clone, ".Finish", ".Warning", ".Kind")
	sharesNothing(t, new(ChatRequest), (*ChatRequest).Clone)
	sharesNothing(t, new(ChatResponse), (*ChatResponse).Clone)
}

func sharesNothing[T any](t *testing.T, e *T, clone func(*T) *T, but ...string) {
	fill(reflect.ValueOf(e).Elem(), map[reflect.Type]int{})
	c := clone(e)
	if d := cmp.Diff(e, c); d != "" {
		t.Errorf("the clone differs:\n%s", d)
	}
	mine, its := map[unsafe.Pointer]string{}, map[unsafe.Pointer]string{}
	memory(reflect.ValueOf(e), mine, "")
	memory(reflect.ValueOf(c), its, "")
	if len(mine) < 100 {
		t.Errorf("only %d places filled", len(mine))
	}
	for p, path := range its {
		if _, shared := mine[p]; shared && !slices.ContainsFunc(but, func(s string) bool { return strings.HasPrefix(path, s) }) {
			t.Errorf("%s is shared", path)
		}
	}
	if d := cmp.Diff(new(T), clone(new(T))); d != "" {
		t.Errorf("the clone of nothing:\n%s", d)
	}
}

// A long string counts wherever it stands, or what is kept would have no bound.
func TestSizeCountsEveryString(t *testing.T) {
	req, resp := new(ChatRequest), new(ChatResponse)
	long := strings.Repeat("x", 1<<20)
	everyString(t, reflect.ValueOf(req).Elem(), "request", long, req.Size)
	everyString(t, reflect.ValueOf(resp).Elem(), "response", long, resp.Size)
}

// everyString makes one string below v after the other long, and looks whether the
// size is that of one long string then.
func everyString(t *testing.T, v reflect.Value, path, long string, size func() int) {
	t.Helper()
	fill(v, map[reflect.Type]int{})
	var strs func(v reflect.Value, path string)
	strs = func(v reflect.Value, path string) {
		switch v.Interface().(type) {
		case Text, RawJSON, time.Time, *Lineage, *Error, []Warning:
			return
		default:
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				strs(v.Elem(), path)
			}
		case reflect.Slice:
			for i := range v.Len() {
				strs(v.Index(i), path+"[]")
			}
		case reflect.Struct:
			for i := range v.NumField() {
				strs(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		case reflect.String:
			was := v.String()
			v.SetString(long)
			if n := size(); n < len(long) {
				t.Errorf("%s of %d bytes is counted as %d", path, len(long), n)
			}
			v.SetString(was)
		default:
		}
	}
	strs(v, path)
}
