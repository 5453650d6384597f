package nodes

// Speech is the engine for text to speech that the nodes have loaded, such as flite with the voice kal.
type Speech struct{ Engine, Voice string }
