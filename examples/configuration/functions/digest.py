def handler(input, context):
    """Counts the notes, and the words in them."""
    notes = input["notes"]
    return {"notes": len(notes), "words": sum(len(note.split()) for note in notes)}
