package provider

import (
	"github.com/goccy/go-yaml"
)

// Shown is an entry of the catalogue as text.
type Shown struct{ YAML, JSON []byte }

// Show writes an entry as a file of the catalogue has it; what is unknown is left
// out.
func (c *Catalogue) Show(name string) (*Shown, error) {
	s, ok := c.Spec(name)
	if !ok {
		return nil, invalidf("`aratta catalogue list` lists all", "there is no %q in the catalogue%s", name, c.suggest(name))
	}
	text, err := yaml.MarshalWithOptions(s, yaml.OmitEmpty(), yaml.OmitZero(), yaml.IndentSequence(true))
	if err != nil {
		return nil, err
	}
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	return &Shown{text, data}, nil
}
