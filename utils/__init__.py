"""What both halves of the project share: errors, command line, configuration, registry, seeding, files."""
