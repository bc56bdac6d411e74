package sdktest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/ollama/ollama/api"
)

// TestModels: each SDK lists what can be asked for, and asking for it works.
func TestModels(t *testing.T) {
	for _, c := range clients(shared.aratta.url) {
		t.Run(c.name(), func(t *testing.T) {
			ids, err := c.models(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range shared.providers {
				for _, want := range []string{u.name + ":" + model, u.only()} {
					if !slices.Contains(ids, want) {
						t.Errorf("%q is missing in %q", want, ids)
					}
				}
				id := u.name + ":" + model
				u.says(t, said("It works."))
				if g := must(t, c, hello(id), false); g.text != "It works." {
					t.Errorf("%s: %q", id, g.text)
				}
			}
		})
	}
}

// TestOneModel asks about a single one.
func TestOneModel(t *testing.T) {
	ask := map[string]func(ctx context.Context, c client, id string) (string, error){
		"openai": func(ctx context.Context, c client, id string) (string, error) {
			m, err := c.(*openAI).sdk.Models.Get(ctx, id)
			if err != nil {
				return "", err
			}
			return m.ID, nil
		},
		"anthropic": func(ctx context.Context, c client, id string) (string, error) {
			m, err := c.(*claude).sdk.Models.Get(ctx, id, anthropic.ModelGetParams{})
			if err != nil {
				return "", err
			}
			return m.ID, nil
		},
		"google": func(ctx context.Context, c client, id string) (string, error) {
			m, err := c.(*google).sdk.Models.Get(ctx, id, nil)
			if err != nil {
				return "", err
			}
			return strings.TrimPrefix(m.Name, "models/"), nil
		},
		"ollama": func(ctx context.Context, c client, id string) (string, error) {
			m, err := c.(*ollama).sdk.Show(ctx, &api.ShowRequest{Model: id})
			if err != nil {
				return "", err
			}
			if len(m.Capabilities) == 0 {
				return "no capabilities", nil
			}
			return id, nil
		},
	}
	for _, c := range clients(shared.aratta.url) {
		for _, u := range shared.providers {
			t.Run(c.name()+" client/"+u.format+" provider", func(t *testing.T) {
				id := u.name + ":" + model
				if got, err := ask[c.name()](t.Context(), c, id); err != nil || got != id {
					t.Errorf("%q, %v; want %q", got, err, id)
				}
			})
		}
		t.Run(c.name()+" client/unknown", func(t *testing.T) {
			_, err := ask[c.name()](t.Context(), c, "no-such-model")
			notFound().check(t, c, err)
		})
	}
}

// TestCountTokens: counted by who counts, estimated for the others.
func TestCountTokens(t *testing.T) {
	type counter interface {
		client
		count(ctx context.Context, a *ask) (int64, error)
	}
	for _, c := range []counter{newAnthropic(shared.aratta.url), newGoogle(shared.aratta.url)} {
		for _, u := range shared.providers {
			t.Run(c.name()+" client/"+u.format+" provider", func(t *testing.T) {
				u.says(t, said("never said"))
				a := hello(u.only())
				a.turns[0].text = "One two three four five six seven"
				n, err := c.count(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				if u.format == "anthropic" || u.format == "native" || u.format == "gemini" {
					if n != 7 { // a word is a token for the simulated provider
						t.Errorf("%d tokens, want the provider's 7", n)
					}
				} else if n < 4 || n > 60 {
					t.Errorf("%d tokens, want an estimate for seven words", n)
				}
			})
		}
	}
}
