package session_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/scri"
)

func said(role scri.Role, text string) scri.Message {
	return scri.Message{Role: role, Parts: []scri.Part{scri.TextPart(text)}}
}

// turn is one exchange of two words.
func turn(id, ask, answer string, before *session.Turn) *session.Turn {
	return &session.Turn{
		ID: id, Before: before, Request: &scri.ChatRequest{Messages: []scri.Message{said(scri.RoleUser, ask)}},
		Response: &scri.ChatResponse{ID: id, Choices: []scri.Choice{{Output: []scri.Message{said(scri.RoleAssistant, answer)}}}},
	}
}

func told(list []scri.Message) string {
	var words []string
	for _, m := range list {
		words = append(words, m.Parts[0].Text.String())
	}
	return strings.Join(words, " ")
}

var me, you = session.Caller{Loopback: true}, session.Caller{Key: "env1"}

func TestConversation(t *testing.T) {
	s := session.New(session.Limits{}, nil)
	a := turn("a", "1", "2", nil)
	a.Request.Messages = append([]scri.Message{said(scri.RoleSystem, "be brief")}, a.Request.Messages...)
	a.Aside = 1
	s.Put(me, a)
	s.Put(me, turn("b", "3", "4", s.Get(me, "a")))
	s.Put(me, turn("c", "5", "6", s.Get(me, "a"))) // another way from there
	for id, want := range map[string]string{"a": "1 2", "b": "1 2 3 4", "c": "1 2 5 6"} {
		if got := told(s.Get(me, id).History()); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if got := told(s.Get(me, "b").Input()); got != "1 2 3" {
		t.Errorf("the input of b: %s", got)
	}
}

func TestNobodySeesAnothers(t *testing.T) {
	s := session.New(session.Limits{}, nil)
	s.Put(me, turn("a", "mine", "yours", nil))
	if s.Get(you, "a") != nil || s.Delete(you, "a") {
		t.Error("an answer is seen by somebody else")
	}
	s.Put(you, turn("a", "other", "one", nil)) // the same id
	if got := told(s.Get(me, "a").History()); got != "mine yours" {
		t.Errorf("it became %s", got)
	}
}

// What has gone on from a deleted answer stays whole.
func TestDelete(t *testing.T) {
	s := session.New(session.Limits{}, nil)
	s.Put(me, turn("a", "1", "2", nil))
	s.Put(me, turn("b", "3", "4", s.Get(me, "a")))
	if !s.Delete(me, "a") || s.Delete(me, "a") || s.Get(me, "a") != nil {
		t.Error("it is not deleted once")
	}
	if got := told(s.Get(me, "b").History()); got != "1 2 3 4" {
		t.Errorf("what went on from it: %s", got)
	}
}

func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := session.New(session.Limits{Age: time.Hour}, nil)
		s.Put(me, turn("used", "1", "2", nil))
		s.Put(me, turn("left", "1", "2", nil))
		time.Sleep(50 * time.Minute)
		if s.Get(me, "used") == nil {
			t.Error("gone too early")
		}
		time.Sleep(20 * time.Minute)
		if s.Get(me, "left") != nil || s.Get(me, "used") == nil {
			t.Error("not the one that was left alone is gone")
		}
		time.Sleep(time.Hour)
		if s.Get(me, "used") != nil {
			t.Error("it never goes")
		}
	})
}

func TestTooLarge(t *testing.T) {
	s := session.New(session.Limits{Bytes: 8000}, nil)
	if s.Put(me, turn("a", strings.Repeat("x", 2000), "", nil)) || s.Get(me, "a") != nil {
		t.Error("one turn takes more than its share")
	}
}

// Whatever is put, used and deleted: what is kept stays within the limits, and
// each answer that is there tells its conversation whole.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const answers, bytes = 6, 60_000
		s := session.New(session.Limits{Answers: answers, Bytes: bytes}, nil)
		want := map[string]string{}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "id"))
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				s.Delete(me, id)
				delete(want, id)
			default:
				before := s.Get(me, fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "before")))
				ask := strings.Repeat("x", rapid.IntRange(0, 9000).Draw(t, "size"))
				history := fmt.Sprint(ask, " ", i)
				if before != nil {
					history = told(before.History()) + " " + history
				}
				if s.Put(me, turn(id, ask, fmt.Sprint(i), before)) {
					want[id] = history
				}
			}
			kept := 0
			for id, history := range want {
				if got := s.Get(me, id); got != nil {
					kept++
					if told(got.History()) != history {
						t.Fatalf("%s has another history", id)
					}
				}
			}
			if kept > answers || s.Bytes() > bytes || s.Bytes() < 0 || kept == 0 && s.Bytes() != 0 {
				t.Fatalf("%d answers, %d bytes", kept, s.Bytes())
			}
		}
	})
}
