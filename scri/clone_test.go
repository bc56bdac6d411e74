package scri

import (
	"reflect"
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
		v.SetString("s")
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
	case reflect.Struct:
		for i := range v.NumField() {
			memory(v.Field(i), at, path+"."+v.Type().Field(i).Name)
		}
	default:
	}
}

func TestCloneSharesNothing(t *testing.T) {
	e := new(StreamEvent)
	fill(reflect.ValueOf(e).Elem(), map[reflect.Type]int{})
	c := e.Clone()
	if d := cmp.Diff(e, c); d != "" {
		t.Errorf("the clone differs:\n%s", d)
	}
	mine, its := map[unsafe.Pointer]string{}, map[unsafe.Pointer]string{}
	memory(reflect.ValueOf(e), mine, "event")
	memory(reflect.ValueOf(c), its, "event")
	if len(mine) < 100 {
		t.Errorf("only %d places filled", len(mine))
	}
	for p, path := range its {
		if _, shared := mine[p]; shared {
			t.Errorf("%s is shared", path)
		}
	}
	if d := cmp.Diff(new(StreamEvent), new(StreamEvent).Clone()); d != "" {
		t.Errorf("the clone of nothing:\n%s", d)
	}
}
