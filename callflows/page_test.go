package callflows

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const pageFile = "../docs/elements.md"

func TestThePageOfElementsIsUpToDate(t *testing.T) {
	if *update {
		if err := os.WriteFile(pageFile, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	body, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != Page() {
		t.Errorf("docs/elements.md is not what the elements declare: make docs writes it anew\n%s", difference(string(body), Page()))
	}
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// The page that shows how an element is added shows one that is there, as it is.
func TestTheElementThatTheDocumentationAddsIsTheOneThatIsThere(t *testing.T) {
	body, err := os.ReadFile("../docs/adding-an-element.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("element_sleep.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := goBlock.FindAllSubmatch(body, -1)
	if len(shown) == 0 || string(shown[0][1]) != string(source) {
		t.Error("docs/adding-an-element.md does not show element_sleep.go as it is")
	}
	script, err := os.ReadFile("testdata/sleep.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```text\n(.*?)```").FindAllSubmatch(body, -1) {
		if !strings.Contains(string(script), string(block[1])) {
			t.Errorf("the script of sleep does not say\n%s", block[1])
		}
	}
}
