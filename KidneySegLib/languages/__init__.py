"""The languages of reports and remarks: numbers, dates, texts, and the words that both use."""
