package app

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/provider"
)

// schema is a part of a JSON Schema (2020-12).
type schema map[string]any

// Schema describes the configuration file for editors, as JSON Schema. It knows
// names and types; what else must hold, `aratta config check` says.
func Schema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Config](), "")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "The configuration of Aratta"
	return json.MarshalIndent(s, "", "  ")
}

func schemaOf(t reflect.Type, key string) schema {
	switch t {
	case reflect.TypeFor[Duration]():
		return schema{"type": []string{"string", "number"}, "description": `"90s", "1h30m" or a number of seconds`}
	case reflect.TypeFor[netip.Prefix]():
		return schema{"type": "string", "description": "a network such as 192.168.0.0/16"}
	case reflect.TypeFor[provider.ModelEntry]():
		return schema{"anyOf": []schema{{"type": "string"}, object(t, key)}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), key)
	case reflect.Struct:
		return object(t, key)
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(t.Elem(), key)}
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOf(t.Elem(), key)}
	case reflect.String:
		s := schema{"type": "string"}
		if words := wordsOf(key); words != nil {
			s["enum"] = words
		}
		return s
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	default: // any: a chain is a list of targets, or a table
		targets := schema{"type": "array", "items": schema{"type": "string"}}
		return schema{"anyOf": []schema{targets, {"type": "object", "properties": schema{"targets": targets}, "required": []string{"targets"}}}}
	}
}

func object(t reflect.Type, key string) schema {
	properties := schema{}
	for f := range t.Fields() {
		if name := tomlName(f); name != "" {
			properties[name] = schemaOf(f.Type, join(key, name))
		}
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// wordsOf lists the words that a key may have, nil for any text.
func wordsOf(key string) []string {
	switch key {
	case "local.dialect", "providers.dialect":
		var names []string
		for _, d := range all.Table() {
			names = append(names, d.Name())
		}
		slices.Sort(names)
		return names
	case "local.zone", "providers.zone", "monitoring.trace_zones":
		return zones()
	case "local.thoughts", "providers.thoughts":
		return []string{"", "drop", "text"}
	default:
		return nil
	}
}
