"""Headless Chromium with the pages of the sandbox.

Reads one JSON request per line and writes one JSON answer, like peer.py; requests call the methods of Browser below.
"""

import base64
import hashlib
import shutil
from urllib.parse import parse_qs, urlencode, urlparse

import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

import peer

PATIENCE = 30
VERIFIER = "v" * 43
CLIENT = "<b>app</b>"


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        # As root, as in containers, Chromium runs only without its own sandbox. All pages come from the test server.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        )

    def __del__(self):
        self.driver.quit()

    def wait(self, condition):
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.1).until(lambda _: condition())

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    # The consent page

    def ask(self, url):
        """Opens the consent page for an app that listens at a path which the sandbox does not have."""
        self.url = url
        self.redirect = f"{url}/callback"
        query = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": self.redirect,
            "scope": "dm.read dm.write users.read offline.access",
            "state": "s&t",
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        self.driver.get(f"{url}/i/oauth2/authorize?{urlencode(query)}")
        assert CLIENT in self.find("main").text

    def returned(self):
        """The answer that the app received; a code is exchanged, and replaced by the user of the access token."""
        self.wait(lambda: self.driver.current_url.startswith(self.redirect))
        answer = {name: values[0] for name, values in parse_qs(urlparse(self.driver.current_url).query).items()}
        assert answer.pop("state") == "s&t"
        answer.pop("error_description", None)
        if "code" not in answer:
            return answer
        fields = {
            "grant_type": "authorization_code",
            "client_id": CLIENT,
            "redirect_uri": self.redirect,
            "code_verifier": VERIFIER,
            "code": answer.pop("code"),
        }
        token = requests.post(f"{self.url}/2/oauth2/token", data=fields).json()["access_token"]
        me = requests.get(f"{self.url}/2/users/me", headers={"Authorization": f"Bearer {token}"}).json()
        return {**answer, "user": me["data"]["id"]}

    def click(self, url, decision, user=None):
        self.ask(url)
        if user:
            self.find("input[value=other]").click()
            self.find("#other").send_keys(user)
        self.find(f"button[value={decision}]").click()
        return self.returned()

    def type(self, url, keys):
        """Uses the page with the keyboard only, and returns the id of each control that had the focus."""
        self.ask(url)
        names = {"tab": Keys.TAB, "down": Keys.ARROW_DOWN, "space": Keys.SPACE, "enter": Keys.ENTER}
        focused = []
        for key in keys:
            self.driver.switch_to.active_element.send_keys(names.get(key, key))
            if self.driver.current_url.startswith(self.redirect):
                break
            active = self.driver.switch_to.active_element
            focused.append(active.get_attribute("value") or active.get_attribute("id"))
            outline = active.value_of_css_property("outline-style")
            assert active.tag_name == "body" or outline != "none", f"no visible focus on {focused[-1]}"
        return {**self.returned(), "focused": " ".join(focused)}

    def mistake(self, url):
        """Enters an invalid user; refuses when the page asks again."""
        self.ask(url)
        self.find("input[value=other]").click()
        self.find("#other").send_keys("x")
        self.find("button[value=allow]").click()
        alert = self.wait(lambda: self.find("[role=alert]")).text
        assert self.find("#other").get_attribute("aria-describedby") == "fault"
        self.find("button[value=refuse]").click()
        return {**self.returned(), "alert": alert}

    def sign_in(self, address, user):
        """Opens the address that a program shows, allows it as a user, and returns the page that the program serves."""
        self.driver.get(address)
        self.find(f"input[value='{user}']").click()
        self.find("button[value=allow]").click()
        self.wait(lambda: "/i/oauth2/authorize" not in self.driver.current_url)
        return self.find("main").text

    # The live page

    def open(self, url):
        self.url = url
        self.driver.get(url)

    def wait_for(self, text):
        self.wait(lambda: text in self.find("main").text)
        return self.find("[role=status]").text

    def check(self):
        """The faults of the page: for a screen reader, at the width of a phone, and in the browser's log."""
        faults = []
        names = {
            "html[lang]": 1, "main": 1, "h1": 1, "section[aria-labelledby] > h2": 3, "table > caption": 2,
            "[role=status][aria-live=polite]": 1,
        }
        for selector, count in names.items():
            found = len(self.driver.find_elements(By.CSS_SELECTOR, selector))
            if found != count:
                faults.append(f"{found} of {selector}")
        for name in ("img", "script:not([src])", "b", "iframe", "svg"):
            if self.driver.find_elements(By.CSS_SELECTOR, name):
                faults.append(f"there is {name}")
        if self.driver.execute_script("return window.wasRun"):
            faults.append("a title was run as a script")
        for width in (320, 1000):
            self.resize(width)
            needed = self.driver.execute_script("return document.documentElement.scrollWidth")
            if needed > width:
                faults.append(f"{needed} pixels needed of {width}")
        severe = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        # A browser requests an icon that the page does not name.
        return faults + [message for message in severe if "favicon.ico" not in message]

    def pause(self):
        """Presses the button with the keyboard; returns whether it is pressed now, and the id of the focused control."""
        button = self.find("#pause")
        button.send_keys(Keys.ENTER)
        return [button.get_attribute("aria-pressed"), self.driver.switch_to.active_element.get_attribute("id")]

    def resize(self, width, height=900):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def screenshot(self, width, height, scheme="light"):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        self.resize(int(width), int(height))
        return base64.b64decode(self.driver.get_screenshot_as_base64())


if __name__ == "__main__":
    peer.main(Browser)
