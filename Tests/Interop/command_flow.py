"""A user of X's own client, xdk, who exchanges messages and files with a user of the command xchat.

Reads and answers requests like peer.py; requests call the methods of Bot here and in xdk_flow.py.
"""

import peer
import xdk_flow

FILE = 5


class Bot(xdk_flow.Bot):
    def connect(self, url, user):
        super().connect(url, user)

    def send_file(self, conversation, text, filename, content):
        """Uploads a file and sends a message that names it."""
        attachment = {
            "attachment_type": "media",
            "media_hash_key": self.upload(conversation, content),
            "media_type": FILE,
            "width": 0,
            "height": 0,
            "filesize_bytes": len(content),
            "filename": filename,
        }
        return self.send(conversation, text, attachments=[attachment])

    def files(self, conversation, people):
        """Downloads and decrypts every file that a verified message names."""
        found = []
        for event in self.read(conversation, people):
            if event["type"] == "Message" and event["verified"]:
                for attachment in event.get("attachments") or []:
                    content = self.download(conversation, attachment["media_hash_key"])
                    assert len(content) == attachment["filesize_bytes"]
                    found.append(
                        {
                            "filename": attachment["filename"],
                            "type": attachment["media_type"],
                            "width": attachment["dimensions"]["width"],
                            "content": content,
                        }
                    )
        return found


if __name__ == "__main__":
    peer.main(Bot)
