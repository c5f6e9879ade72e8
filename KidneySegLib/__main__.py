"""``python -m KidneySegLib``: the command line, for front ends that start it as a child process."""

from KidneySegLib.commands.app import main

if __name__ == "__main__":
    main()
