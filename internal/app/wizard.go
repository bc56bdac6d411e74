package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/huh/v2"

	"github.com/aratta-gateway/aratta/scri"
)

// wizard asks a person at a terminal, one question after another.
type wizard struct {
	ctx context.Context //nolint:containedctx // of the command, for its few questions
	p   *program
}

// ask puts one question, and returns errInterrupted where a person leaves.
func (w *wizard) ask(f huh.Field) error {
	plain, _ := w.p.Env("ACCESSIBLE")
	term, _ := w.p.Env("TERM")
	form := huh.NewForm(huh.NewGroup(f)).WithInput(w.p.In).WithOutput(w.p.Err).WithTheme(huh.ThemeFunc(huh.ThemeBase16)).WithKeyMap(keyMap()).
		WithAccessible(plain != "" || term == "dumb")
	err := form.RunWithContext(w.ctx)
	if errors.Is(err, huh.ErrUserAborted) || w.ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// keyMap is that of the library, whose line of help speaks as the questions do.
func keyMap() *huh.KeyMap {
	m := huh.NewDefaultKeyMap()
	m.MultiSelect.Toggle.SetHelp("space", "select")
	m.MultiSelect.Submit.SetHelp("enter", "go on")
	m.Select.Submit.SetHelp("enter", "go on")
	m.Input.Submit.SetHelp("enter", "go on")
	m.Confirm.Submit.SetHelp("enter", "go on")
	return m
}

// confirm asks a question that is answered with yes or no.
func (w *wizard) confirm(title, description string, yes *bool) error {
	return w.ask(huh.NewConfirm().Title(title).Description(description).Affirmative("Yes").Negative("No").Value(yes))
}

// choose asks what the command line left open. c holds what is proposed.
func (w *wizard) choose(s *survey, c *choices) error {
	if err := w.several("Which local runtimes shall answer?", "They are asked first. Space selects, Enter goes on.", s.runtimes, &c.locals); err != nil {
		return err
	}
	if err := w.models(s.runtimes, c.locals, c); err != nil {
		return err
	}
	cloud := len(c.clouds) > 0
	if err := w.confirm("May cloud providers be asked when no local model answers?", "With No, no conversation leaves this machine.", &cloud); err != nil {
		return err
	}
	if !cloud {
		c.clouds = nil
	} else {
		if len(c.clouds) == 0 {
			for i := range s.clouds {
				if s.clouds[i].ready {
					c.clouds = append(c.clouds, s.clouds[i].name)
				}
			}
		}
		if err := w.several("Which cloud providers?", "Keys are read from the environment and written nowhere. / filters.", s.clouds, &c.clouds); err != nil {
			return err
		}
		if err := w.models(s.clouds, c.clouds, c); err != nil {
			return err
		}
	}
	return w.aliases(s, c)
}

// several asks which of a list are wanted, in the order of the list.
func (w *wizard) several(title, description string, list []candidate, wanted *[]string) error {
	options := make([]huh.Option[string], len(list))
	for i := range list {
		options[i] = huh.NewOption(fmt.Sprintf("%-16s %s", list[i].name, list[i].state()), list[i].name)
	}
	return w.ask(huh.NewMultiSelect[string]().Title(title).Description(description).Options(options...).
		Height(min(len(options), mostShown) + titleLines).Value(wanted))
}

// How many options are seen at once, and what stands above them.
const (
	mostShown  = 10
	titleLines = 3
)

// models asks for the default model of those that were chosen and have several.
func (w *wizard) models(list []candidate, chosen []string, c *choices) error {
	for i := range list {
		r := &list[i]
		if !slices.Contains(chosen, r.name) || len(r.models) < 2 {
			continue
		}
		options := make([]huh.Option[string], len(r.models))
		for j := range r.models {
			options[j] = huh.NewOption(described(&r.models[j]), r.models[j].ID)
		}
		model := c.models[r.name]
		err := w.ask(huh.NewSelect[string]().Title("Which model of " + r.name + " answers when none is named?").
			Options(options...).Height(min(len(options), mostShown) + titleLines).Value(&model))
		if err != nil {
			return err
		}
		c.models[r.name] = model
	}
	return nil
}

// described is a model in a list.
func described(m *scri.ModelInfo) string {
	var more []string
	if m.ParameterSize != "" {
		more = append(more, m.ParameterSize+" parameters")
	}
	if m.SizeBytes > 0 {
		more = append(more, bytesText(m.SizeBytes))
	}
	if m.ContextWindow > 0 {
		more = append(more, fmt.Sprintf("%d tokens", m.ContextWindow))
	}
	return strings.TrimSpace(fmt.Sprintf("%-32s %s", oneLine(m.ID), oneLine(strings.Join(more, ", "))))
}

// aliases asks for names for models. Those that there are already are proposed.
func (w *wizard) aliases(s *survey, c *choices) error {
	have := c.aliases
	c.aliases = map[string]string{}
	names, targets := s.suggested(c)
	names = slices.DeleteFunc(names, func(name string) bool { return have[name] != "" && have[name] != targets[name] })
	if len(names) > 0 {
		options := make([]huh.Option[string], len(names))
		var wanted []string
		for i, name := range names {
			options[i] = huh.NewOption(fmt.Sprintf("%-8s %s", name, oneLine(targets[name])), name)
			if have[name] != "" {
				wanted = append(wanted, name)
			}
		}
		if err := w.ask(huh.NewMultiSelect[string]().Title("Names for these models?").Description("Clients may ask for them like for a model.").
			Options(options...).Height(len(options) + titleLines).Value(&wanted)); err != nil {
			return err
		}
		for _, name := range wanted {
			c.aliases[name] = targets[name]
		}
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if !slices.Contains(names, name) {
			others = append(others, name+" = "+have[name])
		}
	}
	more := strings.Join(others, ", ")
	set := func(name, target string) error { c.aliases[name] = target; return nil }
	split := func(text string) []string {
		return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
	}
	err := w.ask(huh.NewInput().Title("Other names?").Description("Like: work = ollama:llama3.1:8b, deep = openai:o3. Empty for none.").Value(&more).
		Validate(func(text string) error {
			return pairs(split(text), "write NAME = TARGET, not", "name = provider:model", func(string, string) error { return nil })
		}))
	if err != nil {
		return err
	}
	return pairs(split(more), "alias", "name = provider:model", set)
}
