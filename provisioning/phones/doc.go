// Package phones writes the files that desk phones ask for when they provision themselves. It is pure: a Phone goes in, the
// files of its vendor come out, and nothing else is read.
//
// Guarantees:
//   - No value leaves its place. What people may write freely (names, labels, notes) is cleaned of control characters, line ends and
//     what the vendors' files take for variables, and then escaped for the format; what has a form (user names, hosts, numbers) is
//     held against it, and a Phone that breaks one is refused as a whole.
//   - The password stands in the files of which File.Secret says so, and in no other.
//   - The same Phone gives the same bytes.
//
// It refuses to write for a vendor that it does not know. What the templates hold is written from the vendors' public
// administration guides, which stand beside each template; no phone has read these files yet (docs/phones.md).
//
//	Phone --Check--> ok --Files--> names, content types --Render(name)--> bytes
package phones
