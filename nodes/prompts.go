package nodes

import (
	"strings"
)

// Sounds says where prompts are.
type Sounds struct {
	Folder string // of the node's own sounds, as the node sees it
	Media  string // the shared media folder, as the node sees it; empty: there is none
	// Find gives the path of a prompt below the media folder; nil: there are none.
	Find func(tenant, language, prompt string) (path string, ok bool)
}

// Prompts says what a prompt's name is for a node:
//
//	tone:NAME     one of a few tones
//	silence:MS    silence
//	Media:PATH    a file below the media folder; Tandem alone makes such names: with their capital letter no flow can hold them
//	Own:BOX|NAME  the greeting of a user's box, if he has one, else what NAME is; made here alone, as the former
//	any other     the tenant's file of the name, else the platform's, in the language or in any; else, for the prompts of
//	              Tandem's own elements, a tone, because no recorded voices are shipped; else a file of the node's own sounds
//
// A tone is a name rather than its description so that a flow never carries the node's own language.
func Prompts(s Sounds) func(tenant, language, prompt string) string {
	return func(tenant, language, prompt string) string {
		kind, name, special := strings.Cut(prompt, ":")
		switch {
		case special && kind == "tone":
			return tone(name)
		case special && kind == "silence":
			return "silence_stream://" + name
		case special && kind == "Media" && s.Media != "":
			return strings.TrimSuffix(s.Media, "/") + "/" + name
		}
		if special && kind == "Own" {
			box, otherwise, _ := strings.Cut(name, "|")
			if path, ok := s.find(tenant, language, "boxes/"+box+"/greeting"); ok {
				return strings.TrimSuffix(s.Media, "/") + "/" + path
			}
			prompt = otherwise
		}
		if path, ok := s.find(tenant, language, prompt); ok {
			return strings.TrimSuffix(s.Media, "/") + "/" + path
		}
		if t, ok := ownTone(prompt); ok {
			return t
		}
		return strings.TrimSuffix(s.Folder, "/") + "/" + prompt + ".wav"
	}
}

func (s Sounds) find(tenant, language, prompt string) (string, bool) {
	if s.Find == nil || s.Media == "" {
		return "", false
	}
	return s.Find(tenant, language, prompt)
}

// ownBefore is the name of a prompt before which a box's own comes; without a box the prompt's.
func ownBefore(box, prompt string) string {
	if box == "" {
		return prompt
	}
	return "Own:" + box + "|" + prompt
}

// played is what a command plays: one prompt, or several without a pause (mod_dptools, file_string).
func (n *Node) played(tenant string, prompt string, more []string, language string) string {
	first := n.options.Prompts(tenant, language, prompt)
	if len(more) == 0 {
		return first
	}
	parts := []string{first}
	for _, p := range more {
		parts = append(parts, n.options.Prompts(tenant, language, p))
	}
	return "file_string://" + strings.Join(parts, "!")
}

// ownTone is what is heard where nobody has recorded a prompt of Tandem's own elements: a digit as so many beeps.
func ownTone(prompt string) (string, bool) {
	element, name, _ := strings.Cut(prompt, "/")
	switch element {
	case "voicemail", "directory":
		switch name {
		case "greeting", "password", "mailbox", "ask", "keys":
			return tone("menu"), true
		case "wrong", "locked", "none", "unavailable":
			return tone("wrong"), true
		case "goodbye", "no_more":
			return tone("closed"), true
		}
		return tone("beep"), true
	case "say":
		return beeps(name), true
	}
	return "", false
}

// beeps are as many short tones as a digit says, and a long one for 0 and for every other word.
func beeps(name string) string {
	const one = "%(150,150,800)"
	digit := strings.TrimPrefix(name, "digits/")
	if len(digit) != 1 || digit < "1" || digit > "9" {
		return "tone_stream://%(600,200,600)"
	}
	return "tone_stream://" + strings.Repeat(one+";", int(digit[0]-'1')) + "%(150,400,800)"
}

// tone gives a tone in the language of mod_tone_stream: %(on ms, off ms, Hz ...). An unknown name is a beep.
func tone(name string) string {
	switch name {
	case "ring":
		return "tone_stream://%(2000,4000,440,480)"
	case "busy":
		return "tone_stream://%(500,500,480,620);loops=4"
	case "menu": // two rising notes: the demo's stand-in for a spoken menu
		return "tone_stream://%(200,50,523);%(200,50,659);%(300,0,784)"
	case "closed": // two falling notes
		return "tone_stream://%(300,50,659);%(500,0,440)"
	case "accept": // three short ones: whoever hears them keys 1
		return "tone_stream://%(120,80,880);%(120,80,880);%(120,600,880)"
	case "on": // a setting is on, and off
		return "tone_stream://%(120,60,659);%(240,0,880)"
	case "off":
		return "tone_stream://%(120,60,880);%(240,0,659)"
	case "hold": // a quiet note every five seconds, for a minute
		return "tone_stream://v=-20;%(300,4700,523);loops=12"
	case "wrong":
		return "tone_stream://%(150,50,300);%(150,0,250)"
	}
	return "tone_stream://%(400,0,800)"
}
