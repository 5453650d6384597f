package esl

import (
	"strings"
)

const maxPromptBytes = 2 << 10

// checkPrompt accepts what may be played:
//
//	/path/to/file.wav, path/to/file.wav       no blank, no ".." segment
//	silence_stream://MS[,NOISE]
//	tone_stream://%(2000,4000,440,480);loops=3
//	local_stream://NAME
//	http://..., https://..., http_cache://http...
//	file_string://PART!PART...                parts: files, silence, tones
//
// Everything else is refused by its scheme: FreeSWITCH has some that run
// programs (shell_stream) or phrase macros.
func checkPrompt(s string) *offence {
	if s == "" {
		return refuse("empty", -1)
	}
	if o := checkText(s, maxPromptBytes); o != nil {
		return o
	}
	if parts, ok := strings.CutPrefix(s, "file_string://"); ok {
		at := len(s) - len(parts)
		for part := range strings.SplitSeq(parts, "!") {
			if o := checkSound(part); o != nil {
				return refuse(o.what, at+max(o.at, 0))
			}
			at += len(part) + 1
		}
		return nil
	}
	for _, scheme := range [...]string{"http_cache://http://", "http_cache://https://", "http://", "https://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok {
			return shifted(checkChars(rest, maxPromptBytes, isURLChar), len(scheme))
		}
	}
	if rest, ok := strings.CutPrefix(s, "local_stream://"); ok {
		return shifted(checkChars(rest, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_./", c) >= 0 }), len(s)-len(rest))
	}
	return checkSound(s)
}

// checkSound accepts a file, a silence or a tone.
func checkSound(s string) *offence {
	if rest, ok := strings.CutPrefix(s, "silence_stream://"); ok {
		return shifted(checkChars(rest, 16, func(c byte) bool { return isDigit(c) || c == ',' || c == '-' }), len(s)-len(rest))
	}
	if rest, ok := strings.CutPrefix(s, "tone_stream://"); ok {
		return shifted(checkTone(rest), len(s)-len(rest))
	}
	if i := strings.Index(s, ":"); i >= 0 {
		return refuse("scheme not allowed", i)
	}
	if o := checkChars(s, maxPromptBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_./+=", c) >= 0 }); o != nil {
		return o
	}
	for segment := range strings.SplitSeq(s, "/") {
		if segment == ".." {
			return refuse("parent folder", strings.Index(s, ".."))
		}
	}
	return nil
}

// checkTone accepts the language of mod_tone_stream as far as tones go.
func checkTone(s string) *offence {
	return checkChars(s, maxPromptBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("%().,;=+*#-", c) >= 0 })
}

func isURLChar(c byte) bool { return isAlnum(c) || strings.IndexByte("-._~:/?=&%+@", c) >= 0 }

func shifted(o *offence, by int) *offence {
	if o != nil && o.at >= 0 {
		o.at += by
	}
	return o
}
