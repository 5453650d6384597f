package nodes

import "strings"

// Prompts says what a prompt's name is for a node: "tone:NAME" is one of a few tones, "silence:MS" is silence, and
// anything else is a sound file below the folder of sounds.
//
// A tone is a name rather than its description so that a flow never carries the node's own language.
func Prompts(sounds string) func(prompt string) string {
	return func(prompt string) string {
		kind, name, _ := strings.Cut(prompt, ":")
		switch kind {
		case "tone":
			return tone(name)
		case "silence":
			return "silence_stream://" + name
		}
		return strings.TrimSuffix(sounds, "/") + "/" + prompt + ".wav"
	}
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
