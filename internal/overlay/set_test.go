package overlay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, origin Origin, text string) []*Overlay {
	t.Helper()
	list, err := Parse("set.yaml", []byte(text), origin)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhoIsFor(t *testing.T) {
	list := mustParse(t, User, `
{id: p, version: 1, match: {provider: "dee*|groq"}, ops: [{op: drop, path: a}]}
---
{id: d, version: 1, match: {dialect: anthropic-messages}, ops: [{op: drop, path: a}]}
---
{id: m, version: 1, match: {model: "gpt-5*|o?"}, ops: [{op: drop, path: a}]}
---
{id: u, version: 1, match: {base_url: api.example.com/v1}, ops: [{op: drop, path: a}]}
---
{id: o, version: 1, ops: [{op: drop, path: a, models: "x*"}, {op: drop, path: a, scope: provider=vertex}, {op: drop, path: a, scope: base_url=other.example}]}
---
{id: off, version: 1, enabled: false, ops: [{op: drop, path: a}]}
---
{id: waits, version: 1, approval: operator, ops: [{op: drop, path: a}]}
---
{id: waits-too, version: 1, ops: [{op: drop, path: a, approval: operator}]}
---
{id: agreed, version: 1, approval: {by: anna}, match: {model: agreed}, ops: [{op: drop, path: a, approval: operator}]}
---
{id: old, version: 1, expires: 2026-01-02, match: {model: old}, ops: [{op: drop, path: a}]}
`)
	set := NewSet(list...)
	at := func(day string) time.Time {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		t    Target
		want string
	}{
		{Target{Provider: "deepseek"}, "p@1"},
		{Target{Provider: "mine", Entry: "Groq"}, "p@1"},
		{Target{Dialect: "anthropic"}, "d@1"},
		{Target{Model: "GPT-5.1"}, "m@1"},
		{Target{Model: "o3"}, "m@1"},
		{Target{Model: "o33"}, ""},
		{Target{BaseURL: "https://API.example.com/v1/x"}, "u@1"},
		{Target{BaseURL: "https://api.example.com/v11"}, ""},
		{Target{Model: "x1"}, "o@1"},
		{Target{Entry: "vertex"}, "o@1"},
		{Target{BaseURL: "http://other.example"}, "o@1"},
		{Target{Model: "agreed"}, "agreed@1"},
		{Target{Model: "old"}, "old@1"},
		{Target{}, ""},
	}
	for _, tt := range tests {
		if got := strings.Join(set.For(tt.t, at("2026-01-01")).Names(), " "); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.t, got, tt.want)
		}
	}
	if set.For(Target{Model: "old"}, at("2026-01-02")) != nil {
		t.Error("it acts on the day on which it expires")
	}
}

// TestStrongerOverlaysReplace: a person's file replaces or switches off what came
// with the program, by its id.
func TestStrongerOverlaysReplace(t *testing.T) {
	builtin := mustParse(t, Builtin, "{id: a, version: 1, ops: [{op: drop, path: a}]}\n---\n{id: b, version: 1, ops: [{op: drop, path: a}]}\n---\n{id: c, version: 1, ops: [{op: drop, path: a}]}")
	own := mustParse(t, User, "{id: a, version: 2, ops: [{op: drop, path: b}]}\n---\n{id: b, version: 2, enabled: false}")
	healed := mustParse(t, Healed, "{id: a, version: 3, ops: [{op: drop, path: b}]}\n---\n{id: h, version: 1, ops: [{op: drop, path: a}]}")
	all := append(append(own, builtin...), healed...)
	got := NewSet(all...).For(Target{Builtin: []string{"a", "b"}}, time.Time{}).Names() // nobody refers to c
	if diff := cmp.Diff([]string{"h@1", "a@2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBaseURL(t *testing.T) {
	set := NewSet(mustParse(t, User, `{id: a, version: 1, match: {provider: p}, ops: [{op: base_url, from: "https://old.example/v1", to: "https://new.example"}]}`)...)
	for _, tt := range []struct{ provider, base, want string }{
		{"p", "https://old.example/v1", "https://new.example"},
		{"p", "https://old.example/v1/sub", "https://new.example"},
		{"p", "https://old.example/v2", "https://old.example/v2"},
		{"p", "https://old.example.evil/v1", "https://old.example.evil/v1"},
		{"q", "https://old.example/v1", "https://old.example/v1"},
	} {
		if got, _ := set.BaseURL(Target{Provider: tt.provider, BaseURL: tt.base}, time.Time{}); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.provider, tt.base, got, tt.want)
		}
	}
}

func TestViewsFollowTheSetAndTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var active Active
		v := active.View(Target{Dialect: "openai"})
		if v.Plan("m") != nil {
			t.Error("a plan of nothing")
		}
		tomorrow := time.Now().UTC().Add(24 * time.Hour).Format(time.DateOnly)
		active.Replace(NewSet(mustParse(t, User, "{id: a, version: 1, expires: "+tomorrow+", ops: [{op: drop, path: a}]}")...))
		p := v.Plan("m")
		if p == nil || v.Plan("m") != p || v.Plan("n") == p {
			t.Error("a plan is not kept for its model")
		}
		for i := range 3 * maxPlans {
			v.Plan(fmt.Sprint(i))
		}
		if n := len(v.known.Load().of); n > maxPlans+1 {
			t.Errorf("%d plans are kept", n)
		}
		time.Sleep(48 * time.Hour)
		if v.Plan("m") != nil {
			t.Error("it is in force though its time is over")
		}
		active.Replace(nil)
		if v.Plan("m") != nil || v.In("anthropic").Plan("m") != nil {
			t.Error("a plan of nothing")
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range 2 * maxTurns {
		m.put(1, turnKey{uint64(i), "x"}, []byte("v"))
	}
	if m.get(1, turnKey{0, "x"}) != nil || m.get(1, turnKey{2*maxTurns - 1, "x"}) == nil {
		t.Error("of one conversation not the oldest values went")
	}
	big := make([]byte, maxEcho)
	for i := range maxRemembered/maxEcho + 5 {
		m.put(2, turnKey{uint64(i), "x"}, big)
	}
	for i := range maxConversations + 10 {
		m.put(uint64(100+i), turnKey{1, "x"}, []byte("v"))
	}
	if len(m.known) > maxConversations || m.used.Len() != len(m.known) {
		t.Errorf("%d conversations are kept", len(m.known))
	}
	for i := range 2 * maxMemory / maxRemembered {
		for k := range maxRemembered / maxEcho {
			m.put(uint64(9000+i), turnKey{uint64(k), "x"}, big)
		}
	}
	if m.size > maxMemory {
		t.Errorf("%d bytes are kept", m.size)
	}
	size := 0
	for _, e := range m.known {
		size += e.Value.(*conversation).size
	}
	if size != m.size {
		t.Errorf("counted %d bytes, there are %d", m.size, size)
	}
}

func TestManyAtOnce(t *testing.T) {
	var active Active
	active.Replace(NewSet(mustParse(t, User, tenOverlays)...))
	v := active.View(Target{Dialect: "openai"})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				q := Request{Body: body(500), Model: fmt.Sprint(g, i%5)}
				if p := v.Plan(q.Model); p != nil {
					if err := p.Begin(nil).Request(&q); err != nil {
						t.Error(err)
					}
				}
				if i == 25 && g == 0 {
					active.Replace(NewSet(mustParse(t, User, tenOverlays)...))
				}
			}
		})
	}
	wg.Wait()
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := LoadDir(filepath.Join(dir, "absent")); err != nil || list != nil {
		t.Errorf("an absent folder: %v, %v", list, err)
	}
	write("b.yaml", "{id: b, version: 1, ops: [{op: none, action: x}]}")
	write("a.yml", "{id: a, version: 1, ops: [{op: none, action: x}]}")
	write("notes.txt", "not an overlay")
	write(".hidden.yaml", "no")
	list, err := LoadDir(dir)
	if err != nil || len(list) != 2 || list[0].ID != "a" || list[0].File != filepath.Join(dir, "a.yml") {
		t.Fatalf("%v, %v", list, err)
	}
	write("c.yaml", "\n\n{id: a, version: 2, ops: [{op: none, action: x}]}")
	if _, err := LoadDir(dir); err == nil || !strings.Contains(err.Error(), "c.yaml:3:1: overlay \"a\" stands in "+filepath.Join(dir, "a.yml")) {
		t.Errorf("an id in two files: %v", err)
	}
}

// TestMedia: what fetches media is given from outside; without it the request is
// not sent.
func TestMedia(t *testing.T) {
	p := planOf(t, `{id: x, version: 1, ops: [{op: inline_media, path: "a[*].url"}, {op: inline_media, path: "b", template: {mime: $mime, data: $data}}]}`)
	doc := []byte(`{"a":[{"url":"https://example.com/a.png"},{"url":"data:,x"}],"b":"http://example.com/b"}`)
	q := Request{Body: doc}
	if err := p.Begin(nil).Request(&q); err == nil || !strings.Contains(err.Error(), "only inline") {
		t.Errorf("nobody fetches, and still: %v", err)
	}
	fetch := func(url string) (string, []byte, error) { return "image/png", []byte(url[len(url)-1:]), nil }
	if err := p.Begin(fetch).Request(&q); err != nil {
		t.Fatal(err)
	}
	if want := `{"a":[{"url":"data:image/png;base64,Zw=="},{"url":"data:,x"}],"b":{"mime":"image/png","data":"Yg=="}}`; string(q.Body) != want {
		t.Errorf("got  %s\nwant %s", q.Body, want)
	}
}
