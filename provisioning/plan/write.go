package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Write gives a document as YAML, always the same for the same document. Each line of the comment stands before it.
func (d Document) Write(comment string) ([]byte, error) {
	text, err := json.Marshal(d.Normal())
	if err != nil {
		return nil, fmt.Errorf("plan: write: %w", err)
	}
	root, err := jsonTree(text)
	if err != nil {
		return nil, fmt.Errorf("plan: write: %w", err)
	}
	lay(root, 0)
	var out bytes.Buffer
	for line := range strings.Lines(comment) {
		fmt.Fprintf(&out, "# %s\n", oneLine(strings.TrimSuffix(line, "\n")))
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("plan: write: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("plan: write: %w", err)
	}
	return out.Bytes(), nil
}

// oneLine makes a text one that no reader takes for more than one line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// bare are texts that nothing takes for anything else. All others are written in quotes, so that 0101, +12025550100, no and 1e3 stay
// texts wherever the file is read.
var bare = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./@-]*( [A-Za-z0-9_./@-]+)*$`)

// taken are words that some reader of YAML takes for something else.
var taken = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|nan|inf)$`)

// lay chooses how values are written: texts in quotes where there is doubt, short lists of plain values on one line.
func lay(n *yaml.Node, depth int) {
	const short = 8
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == tagText && (!bare.MatchString(n.Value) || taken.MatchString(n.Value)) {
			n.Style = yaml.DoubleQuotedStyle
		}
		if n.Tag == tagNull {
			n.Value = "null"
		}
	case yaml.SequenceNode, yaml.MappingNode:
		plain := n.Kind == yaml.SequenceNode && len(n.Content) <= short
		for _, inner := range n.Content {
			lay(inner, depth+1)
			plain = plain && inner.Kind == yaml.ScalarNode
		}
		if plain || len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
	}
}
